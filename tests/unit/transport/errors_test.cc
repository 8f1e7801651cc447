#include "broker/transport/errors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "broker/base/limits.h"
#include "broker/transport/error_texts.h"
#include "google/rpc/error_details.pb.h"
#include "schakel/v1/error_reason.pb.h"

namespace schakel::transport {
namespace {

constexpr std::string_view kPrefix = "ERROR_REASON_";

template <typename Detail>
std::vector<Detail> DetailsOf(const google::rpc::Status& status) {
  std::vector<Detail> found;
  for (const google::protobuf::Any& any : status.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) found.push_back(detail);
  }
  return found;
}

std::vector<std::string> AllReasons() {
  std::vector<std::string> reasons;
  const google::protobuf::EnumDescriptor* type = v1::ErrorReason_descriptor();
  for (int i = 0; i < type->value_count(); ++i) {
    const std::string& name = type->value(i)->name();
    EXPECT_TRUE(name.starts_with(kPrefix));
    if (type->value(i)->number() != 0) reasons.push_back(name.substr(kPrefix.size()));
  }
  return reasons;
}

TEST(ErrorTexts, HaveDutchForEveryReason) {
  const std::vector<std::string> reasons = AllReasons();
  EXPECT_GE(reasons.size(), 60u);
  std::vector<std::string> texts;
  for (const std::string& reason : reasons) {
    const std::string text(DutchText(reason));
    EXPECT_TRUE(IsKnownReason(reason)) << reason;
    EXPECT_GE(text.size(), 15u) << reason;
    EXPECT_TRUE(text.ends_with('.')) << reason;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(text[0]))) << reason;
    texts.push_back(text);
  }
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(std::adjacent_find(texts.begin(), texts.end()), texts.end()) << "a text is used twice";
}

TEST(ErrorTexts, KnowNoOtherReasons) {
  for (const char* reason :
       {"", "UNSPECIFIED", "NO_SUCH_REASON", "no_rule", "ERROR_REASON_NO_RULE"}) {
    EXPECT_FALSE(IsKnownReason(reason)) << reason;
    EXPECT_EQ(DutchText(reason), "") << reason;
  }
}

TEST(Errors, EveryReasonCrossesTheWireAndComesBack) {
  for (const std::string& reason : AllReasons()) {
    if (reason == "INTERNAL") continue;  // its text stays inside: below
    Error error = MakeError(ErrorCode::kFailedPrecondition, reason, "what was expected", "a.b[3]");
    error.retry_after_ms = 1250;
    const grpc::Status status = ToGrpcStatus(error);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    const RemoteError remote = RemoteErrorFrom(status);
    EXPECT_EQ(remote.error, error) << reason;
    EXPECT_EQ(remote.dutch, DutchText(reason));
  }
}

TEST(Errors, HaveExactlyOneErrorInfoAndOtherDetailsOnlyWhereTheyApply) {
  const google::rpc::Status bare =
      ToRpcStatus(MakeError(ErrorCode::kNotFound, "NOT_FOUND", "nothing by that id"));
  ASSERT_EQ(DetailsOf<google::rpc::ErrorInfo>(bare).size(), 1u);
  EXPECT_EQ(DetailsOf<google::rpc::ErrorInfo>(bare)[0].reason(), "NOT_FOUND");
  EXPECT_EQ(DetailsOf<google::rpc::ErrorInfo>(bare)[0].domain(), "schakel");
  EXPECT_TRUE(DetailsOf<google::rpc::BadRequest>(bare).empty());
  EXPECT_TRUE(DetailsOf<google::rpc::RetryInfo>(bare).empty());
  ASSERT_EQ(DetailsOf<google::rpc::LocalizedMessage>(bare).size(), 1u);
  EXPECT_EQ(DetailsOf<google::rpc::LocalizedMessage>(bare)[0].locale(), "nl");

  Error full =
      InvalidArgument("FIELD_INVALID", "envelopes[2].header", "expected 2,048 bytes at most");
  full.retry_after_ms = 90'061'001;
  const google::rpc::Status status = ToRpcStatus(full, Bytes(16, '\x5a'));
  ASSERT_EQ(DetailsOf<google::rpc::ErrorInfo>(status).size(), 1u);
  EXPECT_EQ(DetailsOf<google::rpc::ErrorInfo>(status)[0].metadata().at("trace_id"),
            "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a");
  ASSERT_EQ(DetailsOf<google::rpc::BadRequest>(status).size(), 1u);
  const auto violation = DetailsOf<google::rpc::BadRequest>(status)[0].field_violations(0);
  EXPECT_EQ(violation.field(), "envelopes[2].header");
  EXPECT_EQ(violation.description(), "expected 2,048 bytes at most");
  ASSERT_EQ(DetailsOf<google::rpc::RetryInfo>(status).size(), 1u);
  EXPECT_EQ(DetailsOf<google::rpc::RetryInfo>(status)[0].retry_delay().seconds(), 90'061);
  EXPECT_EQ(DetailsOf<google::rpc::RetryInfo>(status)[0].retry_delay().nanos(), 1'000'000);
}

TEST(Errors, KeepWhatStaysInsideInside) {
  const std::string secret = "IO error: /var/lib/schakel/000012.sst: bad checksum";
  for (const Error& error : {
           Internal(secret),
           MakeError(ErrorCode::kDataLoss, "FIELD_INVALID", secret, "field-" + secret),
           MakeError(ErrorCode::kUnknown, "NOT_FOUND", secret),
           MakeError(ErrorCode::kUnavailable, "INTERNAL", secret),
           MakeError(ErrorCode::kNotFound, "A_REASON_THAT_IS_NONE", secret),
           MakeError(static_cast<ErrorCode>(99), "NOT_FOUND", secret),
           MakeError(static_cast<ErrorCode>(0), "NOT_FOUND", secret),
       }) {
    EXPECT_TRUE(StaysInside(error));
    const grpc::Status status = ToGrpcStatus(error, Bytes(16, '\x01'));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    const std::string wire = status.error_message() + status.error_details();
    EXPECT_EQ(wire.find("checksum"), std::string::npos);
    EXPECT_EQ(wire.find("A_REASON"), std::string::npos);
    const RemoteError remote = RemoteErrorFrom(status);
    EXPECT_EQ(remote.error.reason, "INTERNAL");
    EXPECT_EQ(remote.error.field, "");
    EXPECT_EQ(remote.trace_id, "01010101010101010101010101010101");
    EXPECT_NE(remote.error.message.find(remote.trace_id), std::string::npos);
    EXPECT_NE(remote.dutch.find(remote.trace_id), std::string::npos);
  }
  EXPECT_FALSE(StaysInside(MakeError(ErrorCode::kNotFound, "NOT_FOUND", "nothing")));
}

TEST(Errors, CutLongTextsAtACharacter) {
  const std::string long_text = "x" + [] {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "\u00eb";
    return text;
  }();
  const grpc::Status status = ToGrpcStatus(InvalidArgument("FIELD_INVALID", long_text, long_text));
  const Error back = ErrorFromStatus(status);
  EXPECT_LE(back.message.size(), limits::kErrorMessageBytesMax);
  EXPECT_GE(back.message.size(), limits::kErrorMessageBytesMax - 1);
  EXPECT_EQ(back.message.size() % 2, 1u) << "ends within a character";
  EXPECT_LE(back.field.size(), limits::kErrorFieldBytesMax);
  EXPECT_LE(status.error_details().size(), 4096u);
}

TEST(Errors, SuccessIsOk) { EXPECT_TRUE(ToGrpcStatus(Status()).ok()); }

TEST(Errors, StatusesOfGrpcItselfGetTheNearestReason) {
  using Code = grpc::StatusCode;
  const std::vector<std::pair<Code, std::string>> expected = {
      {Code::RESOURCE_EXHAUSTED, "TOO_LARGE"},
      {Code::UNAVAILABLE, "NOT_SERVING"},
      {Code::CANCELLED, "CANCELLED"},
      {Code::DEADLINE_EXCEEDED, "CANCELLED"},
      {Code::UNIMPLEMENTED, "METHOD_UNKNOWN"},
      {Code::INTERNAL, "INTERNAL"},
      {Code::UNKNOWN, "INTERNAL"},
  };
  for (const auto& [code, reason] : expected) {
    const RemoteError remote = RemoteErrorFrom(grpc::Status(code, "text of gRPC"));
    EXPECT_EQ(remote.error.reason, reason);
    EXPECT_EQ(static_cast<int>(remote.error.code), static_cast<int>(code));
    EXPECT_EQ(remote.dutch, DutchText(reason));
  }
}

TEST(Errors, ACallThatWasEndedAtOnceNamesItsReasonBeforeTheMessage) {
  const auto remote = RemoteErrorFrom(
      grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "READER_STALLED: a write was not taken"));
  EXPECT_EQ(remote.error.reason, "READER_STALLED");
  EXPECT_EQ(remote.dutch, DutchText("READER_STALLED"));
  EXPECT_EQ(ErrorFromStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "NO_SUCH: x")).reason,
            "NOT_SERVING");
}

TEST(Errors, DetailsOfAnotherDomainAreNoReason) {
  google::rpc::Status status;
  google::rpc::ErrorInfo info;
  info.set_reason("API_KEY_INVALID");
  info.set_domain("googleapis.com");
  status.add_details()->PackFrom(info);
  const grpc::Status wire(grpc::StatusCode::UNAVAILABLE, "text", status.SerializeAsString());
  EXPECT_EQ(ErrorFromStatus(wire).reason, "NOT_SERVING");
  EXPECT_EQ(ErrorFromStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "text", "no protobuf \xff"))
                .reason,
            "NOT_SERVING");
}

}  // namespace
}  // namespace schakel::transport

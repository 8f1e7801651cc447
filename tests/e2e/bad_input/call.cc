#include "tests/e2e/bad_input/call.h"

#include <grpcpp/generic/generic_stub.h>

#include "google/rpc/error_details.pb.h"

namespace schakel::e2e {
namespace {

Answer CallIn(grpc::ClientContext& context, const sdk::Connection& connection,
              const std::string& method, const std::vector<Bytes>& messages,
              std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  context.set_deadline(std::chrono::system_clock::now() + patience);
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(connection.channel());
  std::string path = "/" + method;
  path[path.rfind('.')] = '/';
  const auto call = stub.PrepareCall(&context, path, &queue);
  // One operation at a time; all end, since the call has a deadline.
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  Answer answer;
  call->StartCall(nullptr);
  if (wait()) {
    bool open = true;
    for (const Bytes& message : messages) {
      const grpc::Slice slice(message);
      call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
      open = wait();
      if (!open) break;
    }
    if (open) {
      call->WritesDone(nullptr);
      wait();
    }
    grpc::ByteBuffer buffer;
    call->Read(&buffer, nullptr);
    while (wait()) {
      grpc::Slice slice;
      if (buffer.DumpToSingleSlice(&slice).ok()) {
        answer.messages.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
      call->Read(&buffer, nullptr);
    }
  }
  call->Finish(&answer.status, nullptr);
  wait();
  queue.Shutdown();
  return answer;
}

}  // namespace

Answer CallRaw(const sdk::Connection& connection, const std::string& method,
               const std::vector<Bytes>& messages, std::chrono::milliseconds patience) {
  grpc::ClientContext context;
  connection.AddMetadata(context);
  return CallIn(context, connection, method, messages, patience);
}

Answer CallWith(const sdk::Connection& connection, const std::string& method,
                const std::vector<Bytes>& messages, const Metadata& metadata) {
  grpc::ClientContext context;
  for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
  return CallIn(context, connection, method, messages);
}

Told Read(const google::rpc::Status& status) {
  Told told;
  told.code = static_cast<grpc::StatusCode>(status.code());
  int infos = 0;
  int dutch = 0;
  int bad_requests = 0;
  int retries = 0;
  const auto flaw = [&told](bool wrong, const char* what) {
    if (wrong && told.flaw.empty()) told.flaw = what;
  };
  for (const auto& detail : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    google::rpc::LocalizedMessage localized;
    if (detail.UnpackTo(&info)) {
      ++infos;
      told.reason = info.reason();
      flaw(info.domain() != "schakel", "an ErrorInfo of another domain");
    } else if (detail.UnpackTo(&bad)) {
      ++bad_requests;
      flaw(bad.field_violations_size() != 1, "not one field violation");
      if (bad.field_violations_size() > 0) told.field = bad.field_violations(0).field();
    } else if (detail.UnpackTo(&retry)) {
      ++retries;
      told.retry = retry.retry_delay().seconds() > 0 || retry.retry_delay().nanos() > 0;
      flaw(!told.retry, "a RetryInfo of no time");
    } else if (detail.UnpackTo(&localized)) {
      ++dutch;
      flaw(localized.locale() != "nl" || localized.message().empty(), "a text that is not Dutch");
    } else {
      flaw(true, "a detail of another kind");
    }
  }
  flaw(infos != 1, "not exactly one ErrorInfo");
  flaw(dutch != 1, "not exactly one LocalizedMessage");
  flaw(bad_requests > 1 || retries > 1, "a detail that stands twice");
  flaw(bad_requests == 1 && told.field.empty(), "a violation of no field");
  flaw(status.message().empty(), "no message in English");
  return told;
}

Told Read(const grpc::Status& status) {
  if (status.ok()) return {};
  google::rpc::Status rpc;
  const bool parsed = rpc.ParseFromString(status.error_details());
  rpc.set_code(status.error_code());
  if (rpc.message().empty()) rpc.set_message(status.error_message());
  Told told = Read(rpc);
  if (!parsed) told.flaw = "details that do not parse";
  return told;
}

}  // namespace schakel::e2e

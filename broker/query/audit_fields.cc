#include "broker/query/audit_fields.h"

#include <google/protobuf/timestamp.pb.h>
#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/envelope.h"
#include "schakel/v1/record.pb.h"

namespace schakel::query {

Status CheckRequestId(const Bytes& id) {
  if (id.empty()) return InvalidArgument("FIELD_MISSING", "request_id", "16 bytes are required");
  if (id.size() != 16) return InvalidArgument("FIELD_INVALID", "request_id", "16 bytes expected");
  return {};
}

Status CheckText(const std::string& text, size_t bytes_max, const std::string& field) {
  if (text.size() <= bytes_max) return {};
  return InvalidArgument("TOO_LARGE", field, "at most " + std::to_string(bytes_max) + " bytes");
}

Status CheckReason(const std::string& text, bool required, const std::string& field) {
  if (required && text.empty()) {
    return InvalidArgument("FIELD_MISSING", field, "a question about a subject needs it");
  }
  return CheckText(text, limits::kReferenceBytesMax, field);
}

Status CheckTimestamp(const google::protobuf::Timestamp& time, const std::string& field) {
  constexpr int64_t kYear10000 = 253'402'300'800;
  if (time.seconds() < 0 || time.seconds() >= kYear10000 || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return InvalidArgument("FIELD_INVALID", field, "a moment from 1970 to 9999 expected");
  }
  return {};
}

uint64_t MicrosUp(const google::protobuf::Timestamp& time) {
  return static_cast<uint64_t>(time.seconds()) * 1'000'000 +
         (static_cast<uint64_t>(time.nanos()) + 999) / 1000;
}

Status CheckLinkedSubject(const v1::SubjectRef& subject, const std::string& field) {
  SCHAKEL_TRY(machine::CheckSubjectRef(subject, field));
  if (machine::IsLinked(subject)) return {};
  return InvalidArgument("UNLINKED_SUBJECT", field, "a linked subject expected");
}

bool IsAbout(const Bytes& detail, const v1::SubjectRef& subject) {
  v1::Detail parsed;
  if (detail.empty() || !parsed.ParseFromString(detail)) return false;
  for (const auto& pair : parsed.subject().pairs()) {
    for (const auto& asked : subject.pairs()) {
      if (pair.epoch() == asked.epoch() && pair.value() == asked.value()) return true;
    }
  }
  return false;
}

Result<PagePlace> PagePlace::Parse(BytesView raw) {
  ByteReader reader(raw);
  auto next = reader.U64();
  auto tree_size = reader.U64();
  if (!reader.Done()) {
    return InvalidArgument("PAGE_TOKEN_INVALID", "page_token", "a token of this list expected");
  }
  return PagePlace{*next, *tree_size};
}

Result<PagePlace> PagePlace::At(const PageTokens& tokens, const ListId& list,
                                const std::string& page_token, uint64_t granted_size) {
  SCHAKEL_ASSIGN(auto cursor, tokens.Open(list, page_token));
  if (!cursor) return PagePlace{0, granted_size};
  SCHAKEL_ASSIGN(auto place, Parse(*cursor));
  place.tree_size = std::min(place.tree_size, granted_size);
  return place;
}

}  // namespace schakel::query

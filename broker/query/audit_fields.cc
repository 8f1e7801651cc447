#include "broker/query/audit_fields.h"

#include "broker/machine/envelope.h"
#include "schakel/v1/record.pb.h"

namespace schakel::query {

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

}  // namespace schakel::query

#include "clients/cli/subjects.h"

namespace schakel::cli {

Result<std::vector<v1::SubjectRef>> LinkedSubjects(Invocation& invocation,
                                                   const std::vector<std::string>& bsn_specs) {
  if (bsn_specs.empty()) return std::vector<v1::SubjectRef>();
  SCHAKEL_ASSIGN(const auto bsns, ReadBsns(invocation.language(), invocation.input(), bsn_specs));
  std::vector<std::string_view> views;
  for (const auto& bsn : bsns) views.push_back(bsn.ExposeSecret());
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->pseudonyms());
  return client->Compute(views);
}

Result<v1::SubjectRef> OneSubject(Invocation& invocation, const std::string& bsn_spec) {
  SCHAKEL_ASSIGN(auto subjects, LinkedSubjects(invocation, {bsn_spec}));
  if (subjects.size() != 1) {
    return UsageError(invocation.Text(Msg::kOnePerson), "--subject-bsn");
  }
  return std::move(subjects.front());
}

}  // namespace schakel::cli

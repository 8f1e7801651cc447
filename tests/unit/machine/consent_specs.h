// The consent and the objection that tests of statements begin with: general ones of one person.
#pragma once

#include "tests/support/machine_fixture.h"

namespace schakel::testing {

inline const v1::SubjectRef kPerson = Linked("person");

inline StatementSpec Consent(const OrganisationId& recorder) {
  return {.recorder = recorder, .subject = kPerson};
}
inline StatementSpec Objection(const OrganisationId& recorder) {
  return {.recorder = recorder, .subject = kPerson, .kind = v1::STATEMENT_KIND_OBJECTION};
}

}  // namespace schakel::testing

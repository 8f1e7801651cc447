// Who asks in these tests, and when.
#pragma once

#include "broker/custodian/requester.h"
#include "tests/support/test_pki.h"

namespace schakel::custodian {

inline constexpr Micros kNow = std::chrono::days(20'779);  // 2026-11-22
inline const OrganisationId kPolice = *OrganisationId::From("00000099000000001000");
inline const OrganisationId kCare = *OrganisationId::From("00000099000000002000");

inline Requester Who(uint64_t n = 1000) {
  return {*OrganisationId::From(testing::TestOin(n)), "user-1", "worker", Bytes(16, '\7')};
}

}  // namespace schakel::custodian

// From BSNs that the user handed over to the references that the wire carries.
#pragma once

#include <string>
#include <vector>

#include "clients/cli/invocation.h"
#include "schakel/v1/common.pb.h"

namespace schakel::cli {

// One reference per BSN, in order: asks the custodians. Empty input asks nobody.
Result<std::vector<v1::SubjectRef>> LinkedSubjects(Invocation& invocation,
                                                   const std::vector<std::string>& bsn_specs);
// The same for verbs about one person. USAGE when the input holds another number.
Result<v1::SubjectRef> OneSubject(Invocation& invocation, const std::string& bsn_spec);

}  // namespace schakel::cli

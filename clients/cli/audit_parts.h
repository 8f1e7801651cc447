// The parts of schakel audit.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

// query and subject
void AddAuditQuery(CLI::App* noun, Invocation& invocation);
// verify and export
void AddAuditVerify(CLI::App* noun, Invocation& invocation);

// A number of the log, from 0. USAGE otherwise.
Result<uint64_t> ParseIndex(Language language, const std::string& text, const std::string& option);

}  // namespace schakel::cli

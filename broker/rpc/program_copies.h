// The program's commands about copies of the store: backup and inspect.
#pragma once

#include <string>

#include "broker/base/result.h"
#include "broker/rpc/settings.h"

namespace schakel::rpc {

// `backup --to DIR`: asks the running broker to make it, then reads the copy as a start would,
// every file of it, and compares it with the checkpoint that lies beside it. Prints what it holds.
// Errors: BACKUP_FAILED with the broker's own words; BACKUP_UNSOUND when the copy does not hold its
// checkpoint; CONTROL_NOBODY when no broker runs.
Status RunBackup(const Settings& settings, const std::string& to);

struct InspectFlags {
  std::string data;        // empty: the configuration's data folder, compared with its head file
  std::string checkpoint;  // empty: none
  bool every_file = false;
};
// `inspect`: prints what the store holds and lacks. True: nothing is lost and nothing differs.
Result<bool> RunInspect(const Settings& settings, const InspectFlags& flags);

}  // namespace schakel::rpc

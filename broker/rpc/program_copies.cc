#include "broker/rpc/program_copies.h"

#include <iostream>

#include "broker/rpc/control_socket.h"
#include "broker/rpc/inspect.h"

namespace schakel::rpc {
namespace {

namespace fs = std::filesystem;

Error Unsound(const fs::path& to, const std::string& why) {
  return MakeError(ErrorCode::kDataLoss, "BACKUP_UNSOUND",
                   "it was made, but is no backup: " + why + "; make another elsewhere",
                   to.string());
}

}  // namespace

Status RunBackup(const Settings& settings, const std::string& to) {
  const fs::path folder = fs::absolute(to).lexically_normal();
  if (folder.string().find('\n') != std::string::npos) {
    return InvalidArgument("FIELD_INVALID", "--to", "a path without line ends expected");
  }
  // A trailing slash names the same folder.
  const fs::path named = folder.has_filename() ? folder : folder.parent_path();
  SCHAKEL_ASSIGN(const std::string answer,
                 AskRunningBroker(settings.data_folder, "backup " + named.string()));
  if (!answer.starts_with("ok")) {
    return MakeError(ErrorCode::kFailedPrecondition, "BACKUP_FAILED",
                     answer.starts_with("error ") ? answer.substr(6) : answer, named.string());
  }
  InspectOptions options;
  options.data_folder = named / "data";
  options.checkpoint = named / "checkpoint";
  options.every_file = true;
  const auto inspection = Inspect(options);
  if (!inspection.ok()) return Unsound(named, inspection.error().message);
  if (!inspection->checkpoint || inspection->checkpoint->standing != Standing::kHolds) {
    return Unsound(named, "it does not hold its own checkpoint");
  }
  std::cout << "backup: " << named.string() << '\n' << inspection->Text();
  if (answer == "ok linked") {
    std::cout << "note: its files are shared with the data folder; copy it to another disk\n";
  }
  std::cout.flush();
  return {};
}

Result<bool> RunInspect(const Settings& settings, const InspectFlags& flags) {
  InspectOptions options;
  options.data_folder = flags.data.empty() ? settings.data_folder : fs::path(flags.data);
  if (flags.data.empty()) options.head_file = settings.head_file;
  options.checkpoint = flags.checkpoint;
  options.every_file = flags.every_file;
  SCHAKEL_ASSIGN(const Inspection inspection, Inspect(options));
  std::cout << inspection.Text() << std::flush;
  return inspection.AllHeld();
}

}  // namespace schakel::rpc

// The reports that the loopback owes: written down before it acknowledges, so that a kill between
// acknowledgement and report loses neither.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "broker/base/ids.h"
#include "broker/base/result.h"

namespace schakel::cli {

struct OwedReport {
  DeliveryId delivery;
  RequestId request;  // of the report: made twice under it, it counts once
  std::string code;

  bool operator==(const OwedReport&) const = default;
};

// One file a report, named after its delivery.
class LoopbackJournal {
 public:
  // Makes the folder when it is missing.
  static Result<LoopbackJournal> Open(std::filesystem::path folder);

  // Durable on return.
  Status Owe(const OwedReport& report) const;
  Status Settle(const DeliveryId& delivery) const;
  // Errors: DATA_LOSS JOURNAL_DAMAGED for a file that holds anything else.
  Result<std::vector<OwedReport>> Owed() const;

 private:
  explicit LoopbackJournal(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

}  // namespace schakel::cli

// What recipients report to have come of signals.
#include <algorithm>

#include "tests/sim/model.h"
#include "tests/sim/model_numbers.h"

namespace schakel::sim {

namespace {

// LIMIT: as many reports of one item as the broker takes.
constexpr size_t kReportsMax = 16;

// As bundle.yaml and signal-types.yaml say.
bool HasOutcome(const Text& type, const Text& code) {
  if (code == "test-received") return false;
  return type != "domestic-violence-report" || code != "help-offered";
}

}  // namespace

Text Model::Report(const Text& who, const Text& request, const Text& delivery, size_t code) {
  ModelItem* item = FindDelivery(who, delivery);
  if (item == nullptr) return RefusedAs(who, "DELIVERY_UNKNOWN");
  if (item->signal == nullptr) return RefusedAs(who, "OUTCOME_NOT_APPLICABLE");
  if (item->end == ItemEnd::kOpen) return RefusedAs(who, "NOT_ACKNOWLEDGED");
  if (item->end != ItemEnd::kAcknowledged) return RefusedAs(who, "DELIVERY_SETTLED");
  auto& reports = item->reports;
  const auto same = std::find_if(reports.begin(), reports.end(),
                                 [&](const auto& report) { return report.first == request; });
  if (same != reports.end()) {
    return same->second == code ? "" : RefusedAs(who, "ALREADY_EXISTS");
  }
  if (!reports.empty() && reports.back().second == code) return "";
  if (code >= std::size(kOutcomes)) return RefusedAs(who, "UNKNOWN_CODE");
  if (!HasOutcome(item->signal->type, kOutcomes[code])) {
    return RefusedAs(who, "OUTCOME_NOT_APPLICABLE");
  }
  if (reports.size() == kReportsMax) return RefusedAs(who, "TOO_MANY_REPORTS");
  reports.emplace_back(request, code);
  Count(kOutcomeReport, RecordsOf(*item));
  Tell(*item, kToldReported + static_cast<int>(code));
  return "";
}

}  // namespace schakel::sim

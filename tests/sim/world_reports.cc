// Reports of outcomes, as the world plans them, and what the senders were told of them.
#include <algorithm>

#include "tests/sim/model_numbers.h"
#include "tests/sim/world.h"

namespace schakel::sim {

World::Planned World::PlanReport() {
  // One place beyond the list: a code that nobody knows.
  Reported report{Anyone(), {}, random_.Make<RequestId>(), Below(std::size(kOutcomes) + 1)};
  if (reports_.empty() || Chance(50)) {
    report.delivery = AnyDelivery(report.who);
  } else {
    // Of what was reported before: the same once more, under its request id or another.
    const auto before =
        reports_[reports_.size() - 1 - Below(std::min<size_t>(reports_.size(), 10))];
    report.who = before.who;
    report.delivery = before.delivery;
    if (Chance(50)) report.code = before.code;
    if (Chance(30)) report.request = before.request;
  }
  Text name = report.code < std::size(kOutcomes) ? kOutcomes[report.code] : "unheard-of";
  auto accepted = [this, report](const machine::Outcome& outcome) -> std::string {
    ++stats_.reports;
    reports_.push_back(report);
    return std::get<v1::ReportOutcomeResponse>(outcome.answer).receipt().record().empty()
               ? "a report without its record"
               : "";
  };
  return By(report.who, machine::ReportOutcome{report.request, report.delivery, name}, accepted,
            [this, report] {
              return model_.Report(report.who.str(), report.request.str(), report.delivery.str(),
                                   report.code);
            });
}

int World::ToldBy(const v1::RecipientOutcome& outcome) {
  if (outcome.reported_code().empty()) return outcome.state();
  const auto code = std::find(std::begin(kOutcomes), std::end(kOutcomes), outcome.reported_code());
  const auto place = static_cast<int>(code - std::begin(kOutcomes));
  return outcome.state() == v1::RECIPIENT_STATE_ACKNOWLEDGED && outcome.has_reported()
             ? kToldReported + place
             : -1;
}

}  // namespace schakel::sim

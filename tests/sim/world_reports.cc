// Reports of outcomes, as the world plans them, and what the senders were told of them.
#include <algorithm>

#include "tests/sim/model_numbers.h"
#include "tests/sim/world.h"

namespace schakel::sim {

World::Planned World::PlanReport() {
  OrganisationId who = Anyone();
  DeliveryId delivery = AnyDelivery(who);
  // One place beyond the list: a code that nobody knows. The first is likely, so that repeats are.
  size_t code = Chance(40) ? 0 : Below(std::size(kOutcomes) + 1);
  bool again = !reports_.empty() && Chance(20);
  RequestId request = random_.Make<RequestId>();
  if (again) {
    auto& before = reports_[reports_.size() - 1 - Below(std::min<size_t>(reports_.size(), 10))];
    request = before.request;
    who = before.who;
    delivery = before.delivery;
  }
  reports_.push_back({who, delivery, request});
  Text name = code < std::size(kOutcomes) ? kOutcomes[code] : "unheard-of";
  auto accepted = [this](const machine::Outcome& outcome) -> std::string {
    ++stats_.reports;
    return std::get<v1::ReportOutcomeResponse>(outcome.answer).receipt().record().empty()
               ? "a report without its record"
               : "";
  };
  return By(who, machine::ReportOutcome{request, delivery, name}, accepted,
            [this, who, request, delivery, code] {
              return model_.Report(who.str(), request.str(), delivery.str(), code);
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

#include "broker/query/flow.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "broker/base/limits.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/flow_source.h"
#include "broker/query/page_scan.h"
#include "broker/query/reading.h"
#include "policy/engine/retention.h"

namespace schakel::query {

using store::Family;

namespace {

using namespace std::chrono_literals;

constexpr uint64_t Us(std::chrono::microseconds time) {
  return static_cast<uint64_t>(time.count());
}

// From its ordering a command is applied long within this time.
constexpr uint64_t kSettledUs = Us(1min);
constexpr uint64_t kMinuteUs = Us(1min);
// A signal waits for no longer: the longest that one may last, and a lease that outlives it.
constexpr uint64_t kExpiryUs = Us(limits::kExpiryMax + 24h);

uint64_t Before(uint64_t time_us, uint64_t by_us) { return time_us > by_us ? time_us - by_us : 0; }

// The input of each kind of period, read when first wanted.
class Inputs {
 public:
  Inputs(const store::StateReader& state, const policy::CompiledBundle& bundle, uint64_t now_us)
      : state_(state), bundle_(bundle), now_us_(now_us) {}

  const FlowInput* Of(v1::FlowPeriodKind kind) {
    const auto known = inputs_.find(kind);
    if (known != inputs_.end()) return known->second.get();
    auto& input = inputs_[kind];
    auto made = std::make_unique<FlowInput>();
    // What was sent may be gone by now where its records would be: no figure is made of a part.
    const auto term =
        std::chrono::duration_cast<std::chrono::microseconds>(policy::ShortestSignalTerm(bundle_));
    const uint64_t oldest = Before(now_us_, Us(term));
    made->periods = ClosedPeriods(kind, now_us_, kFlowPeriods, oldest);
    const uint64_t from = made->periods.empty() ? now_us_ : made->periods.back().begin_us;
    auto entries = ReadFlowEntries(state_, bundle_, Before(from, kExpiryUs));
    if (!entries.ok()) {
      failed_ = entries.error();
      return nullptr;
    }
    made->entries = *std::move(entries);
    input = std::move(made);
    return input.get();
  }

  // Why there is no input of the kind that was wanted last.
  const std::optional<Error>& failed() const { return failed_; }

 private:
  const store::StateReader& state_;
  const policy::CompiledBundle& bundle_;
  const uint64_t now_us_;
  std::map<v1::FlowPeriodKind, std::unique_ptr<FlowInput>> inputs_;
  std::optional<Error> failed_;
};

v1::FlowBand BandNow(const std::vector<FlowEntry>& entries, v1::FlowMeasure measure,
                     uint64_t now_us) {
  const FlowPeriod until_now{0, now_us + 1};
  std::vector<const FlowEntry*> counted;
  for (const auto& entry : entries) {
    if (CountsIn(entry, measure, until_now)) counted.push_back(&entry);
  }
  return BandOf(DistinctPersons(counted));
}

}  // namespace

Result<v1::GetFlowResponse> Flow::Get(const store::StateReader& state, Bundles& bundles,
                                      uint64_t wall_us) {
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  SCHAKEL_ASSIGN(auto active, bundles.Active(state));
  const uint64_t now_us = std::max<uint64_t>(meta.time_us(), Before(wall_us, kSettledUs));
  const auto weeks = ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, now_us, 1);
  const uint64_t closed_us = weeks.empty() ? 0 : weeks.front().end_us;

  std::lock_guard lock(mutex_);
  // A snapshot of before a week's end, late in its turn, gets the newer week's tables.
  if (closed_us > closed_us_) {
    Inputs inputs(state, *active.bundle, now_us);
    if (inputs.Of(v1::FLOW_PERIOD_KIND_WEEK) == nullptr) return *inputs.failed();
    const auto source = [&](v1::FlowPeriodKind kind) { return inputs.Of(kind); };
    const std::string region = RegionArea(*active.bundle);
    last_.clear_tables();
    for (auto measure :
         {v1::FLOW_MEASURE_SENT, v1::FLOW_MEASURE_WAITING, v1::FLOW_MEASURE_WAITING_LONG,
          v1::FLOW_MEASURE_STALLED, v1::FLOW_MEASURE_REFUSED}) {
      *last_.add_tables() = ChooseFigures(source, measure, region);
    }
    closed_us_ = closed_us;
  }
  if (now_us / kMinuteUs > minute_) {
    SCHAKEL_ASSIGN(auto entries, ReadFlowEntries(state, *active.bundle, Before(now_us, kExpiryUs)));
    last_.set_waiting_now(BandNow(entries, v1::FLOW_MEASURE_WAITING, now_us));
    last_.set_stalled_now(BandNow(entries, v1::FLOW_MEASURE_STALLED, now_us));
    minute_ = now_us / kMinuteUs;
  }
  return last_;
}

namespace {

Result<v1::StalledSignal> RowOf(const store::StateReader& state, const std::string& alias,
                                const state::v1::StalledItem& listed) {
  v1::StalledSignal row;
  row.set_alias(alias);
  row.set_signal_type(listed.signal_type());
  row.set_recipient(listed.recipient());
  if (listed.has_function()) *row.mutable_function() = listed.function();
  machine::SetTimestamp(DayOf(listed.since_us()), row.mutable_waiting_since());
  row.mutable_term()->set_seconds(static_cast<int64_t>(listed.term_us() / 1'000'000));
  row.set_dead_letter(listed.dead_letter());
  const auto recipient = OrganisationId::From(listed.recipient());
  const auto sender = OrganisationId::From(listed.sender());
  const auto id = SignalId::From(listed.signal_id());
  if (!recipient || !sender || !id) return Damaged("a StalledItem names nobody");
  SCHAKEL_ASSIGN(auto entry, machine::FindOrganisation(state, *recipient));
  if (entry) {
    row.set_recipient_name(entry->organisation().name());
    row.set_contact(entry->organisation().contact());
  }
  SCHAKEL_ASSIGN(auto signal, Read<state::v1::SignalState>(state, Family::kHot,
                                                           machine::keys::Signal(*sender, *id)));
  if (!signal) return Damaged("a stalled signal is missing");
  if (signal->reminded_us() != 0) {
    machine::SetTimestamp(DayOf(signal->reminded_us()), row.mutable_reminded());
  }
  return row;
}

}  // namespace

Result<v1::ListStalledResponse> ListStalled(const store::StateReader& state,
                                            const PageTokens& tokens, const OrganisationId& caller,
                                            const v1::ListStalledRequest& request) {
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  ListId list{"ListStalled", caller.str(), FilterOf(request)};
  SCHAKEL_ASSIGN(auto cursor, tokens.Open(list, request.page_token()));
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  v1::ListStalledResponse response;
  response.set_position(meta.position());
  const auto row = [&](BytesView key, BytesView value) -> Result<v1::StalledSignal> {
    state::v1::StalledItem listed;
    const auto alias = ByteReader(key).Lp();
    if (!alias || !listed.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return Damaged("a stored value is no StalledItem");
    }
    return RowOf(state, Bytes(*alias), listed);
  };
  SCHAKEL_ASSIGN(Bytes next, ScanPage(state, Family::kHot, machine::keys::StalledPrefix(),
                                      cursor.value_or(Bytes()), PageRoom(size), row,
                                      response.mutable_signals()));
  if (!next.empty()) {
    SCHAKEL_ASSIGN(*response.mutable_next_page_token(), tokens.Seal(list, next));
  }
  return response;
}

}  // namespace schakel::query

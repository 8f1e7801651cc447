#include "broker/query/flow_source.h"

#include <algorithm>
#include <limits>
#include <map>

#include "broker/base/limits.h"
#include "broker/machine/context.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"
#include "broker/query/sent_signals.h"

namespace schakel::query {

using store::Family;

namespace {

// Which municipality an area lies in; the region where it lies in none.
class Areas {
 public:
  explicit Areas(const policy::CompiledBundle& bundle) : region_(RegionArea(bundle)) {
    for (const auto& area : bundle.source().manifest.areas()) areas_[area.code()] = &area;
  }

  const std::string& MunicipalityOf(const std::string& code) const {
    for (auto it = areas_.find(code); it != areas_.end(); it = areas_.find(it->second->parent())) {
      if (it->second->level() == v1::BUNDLE_AREA_LEVEL_MUNICIPALITY) return it->second->code();
    }
    return region_;
  }

  // Of a recipient that was addressed as an organisation: its own, where it works in one only.
  const std::string& MunicipalityOf(const v1::Organisation& organisation) const {
    const std::string* one = nullptr;
    for (const auto& area : organisation.areas()) {
      const std::string& municipality = MunicipalityOf(area);
      if (one != nullptr && *one != municipality) return region_;
      one = &municipality;
    }
    return one == nullptr ? region_ : *one;
  }

 private:
  std::string region_;
  std::map<std::string, const v1::BundleArea*> areas_;
};

class Reader {
 public:
  Reader(const store::StateReader& state, const policy::CompiledBundle& bundle, uint64_t from_us)
      : state_(state), areas_(bundle), from_us_(from_us) {}

  Result<std::vector<FlowEntry>> Run() {
    SCHAKEL_TRY(ReadOrganisations());
    for (const auto& [oin, organisation] : organisations_) SCHAKEL_TRY(ReadSender(oin));
    return std::move(entries_);
  }

 private:
  Status ReadOrganisations() {
    Status failed;
    SCHAKEL_TRY(state_.ScanPrefix(Family::kRegistry, machine::keys::OrganisationPrefix(),
                                  [&](BytesView, BytesView value) {
                                    state::v1::OrganisationVersion version;
                                    if (!version.ParseFromString(Bytes(value))) {
                                      failed = Damaged("a stored value is no OrganisationVersion");
                                      return false;
                                    }
                                    auto& organisation = *version.mutable_organisation();
                                    const std::string oin = organisation.oin();
                                    organisations_[oin] = std::move(organisation);
                                    return true;
                                  }));
    return failed;
  }

  // A sender's signals, the newest first, back to the first that is too old.
  Status ReadSender(const std::string& oin) {
    const auto sender = *OrganisationId::From(oin);
    return Failure(ScanSent(
        state_, sender, {}, std::numeric_limits<size_t>::max(),
        [&](const SignalId& id, const state::v1::SignalState& signal) -> Result<bool> {
          if (signal.published_us() < from_us_) return false;
          if (++signals_ > limits::kFlowSignalsMax) {
            return MakeError(ErrorCode::kResourceExhausted, "TOO_LARGE",
                             "there are more signals than one set of figures is made from");
          }
          SCHAKEL_TRY(AddSignal(sender, id, signal));
          return true;
        }));
  }

  Status AddSignal(const OrganisationId& sender, const SignalId& id,
                   const state::v1::SignalState& signal) {
    for (const auto& slot : signal.recipients()) {
      if (slot.permitted_size() == 0) continue;
      for (const auto& routed : signal.subjects()) {
        FlowEntry entry = EntryOf(sender.str(), signal, slot);
        v1::SubjectRef person = routed.ref();
        if (person.pairs_size() > 0 && person.pairs(0).epoch() == 0) {
          SCHAKEL_TRY(FindAttached(sender, id, routed.label(), slot, &person, &entry.known_us));
        }
        for (const auto& pair : person.pairs()) {
          const auto head = ByteReader(pair.value()).U64();
          if (pair.epoch() == 0 || !head) continue;
          entry.epoch = pair.epoch();
          entry.person = *head;
          entries_.push_back(entry);
        }
      }
    }
    return {};
  }

  FlowEntry EntryOf(const std::string& sender, const state::v1::SignalState& signal,
                    const state::v1::RecipientSlot& slot) const {
    const auto& outcome = slot.outcome();
    FlowEntry entry;
    entry.signal_type = signal.signal_type();
    entry.sender_sector = organisations_.at(sender).sector();
    const auto recipient = organisations_.find(outcome.recipient());
    if (recipient != organisations_.end()) entry.recipient_sector = recipient->second.sector();
    entry.area = slot.has_function()
                     ? areas_.MunicipalityOf(slot.function().area())
                     : areas_.MunicipalityOf(recipient == organisations_.end() ? v1::Organisation()
                                                                               : recipient->second);
    entry.sent_us = signal.published_us();
    entry.stalled_us = signal.stalled_us();
    switch (outcome.state()) {
      case v1::RECIPIENT_STATE_QUEUED:
      case v1::RECIPIENT_STATE_DELIVERED:
        break;
      case v1::RECIPIENT_STATE_DEAD_LETTER:
        // Nobody acts on it, and from then on it shows.
        entry.stalled_us = entry.stalled_us == 0
                               ? machine::ToMicros(outcome.changed())
                               : std::min(entry.stalled_us, machine::ToMicros(outcome.changed()));
        entry.ended_us = signal.expires_ms() * 1000;
        break;
      default:
        entry.ended_us = machine::ToMicros(outcome.changed());
        entry.refused = outcome.state() == v1::RECIPIENT_STATE_REFUSED;
        break;
    }
    return entry;
  }

  // Whom the recipient said that an unlinked person is, and when.
  Status FindAttached(const OrganisationId& sender, const SignalId& id, const Bytes& label,
                      const state::v1::RecipientSlot& slot, v1::SubjectRef* person,
                      uint64_t* known_us) {
    const auto recipient = OrganisationId::From(slot.outcome().recipient());
    if (!recipient) return Damaged("a recipient of a signal is no organisation");
    SCHAKEL_ASSIGN(auto attached, Read<state::v1::AttachedSubject>(
                                      state_, Family::kHot,
                                      machine::keys::Attached(sender, id, label, *recipient)));
    if (!attached) return {};
    SCHAKEL_ASSIGN(auto stored, RecordAt(state_, attached->record_index()));
    v1::Record record;
    // Without its record nobody knows when: it is left out.
    if (stored.destroyed_us() != 0 || !record.ParseFromString(stored.record())) return {};
    *person = attached->subject();
    *known_us = record.time_us();
    return {};
  }

  const store::StateReader& state_;
  const Areas areas_;
  const uint64_t from_us_;
  std::map<std::string, v1::Organisation> organisations_;
  std::vector<FlowEntry> entries_;
  size_t signals_ = 0;
};

}  // namespace

std::string RegionArea(const policy::CompiledBundle& bundle) {
  for (const auto& area : bundle.source().manifest.areas()) {
    if (area.level() == v1::BUNDLE_AREA_LEVEL_REGION) return area.code();
  }
  return "";
}

Result<std::vector<FlowEntry>> ReadFlowEntries(const store::StateReader& state,
                                               const policy::CompiledBundle& bundle,
                                               uint64_t from_us) {
  return Reader(state, bundle, from_us).Run();
}

}  // namespace schakel::query

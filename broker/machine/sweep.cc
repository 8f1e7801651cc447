// What ended by the bundle's terms is destroyed, and the log says so; entries stay, so every proof
// holds.
#include "broker/machine/sweep.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

uint64_t Us(Micros us) { return static_cast<uint64_t>(us.count()); }

// The state of the walks, begun anew when the terms are others than those that they went by.
Result<state::v1::SweepState> LoadState(Context& ctx, const policy::CompiledBundle& bundle) {
  state::v1::SweepState state;
  SCHAKEL_ASSIGN([[maybe_unused]] const bool found,
                 ctx.Get(Family::kHot, keys::Sweeping(), &state));
  const Bytes terms = crypto::Sha256(policy::TermsText(bundle)).str();
  if (state.terms_digest() == terms) return state;
  state.Clear();
  state.set_terms_digest(terms);
  for (const Millis term : policy::RecordTerms(bundle)) {
    state.add_walks()->set_term_us(Us(term));
  }
  return state;
}

}  // namespace

// INVARIANT: a day late at the earliest, so that a clock that was wrong for a day destroys nothing.
bool IsDue(const Context& ctx, uint64_t from_us, Millis keep) {
  return from_us + Us(keep) + Us(limits::kDestroyGrace) <= ctx.now_us();
}

void Destruction::Count(const char* what, v1::RecordKind kind, const std::string& rule) {
  ++groups_[Key(what, kind, rule)].count;
}

void Destruction::CountRecord(uint64_t index, v1::RecordKind kind, const std::string& rule,
                              bool detail_alone, state::v1::StoredRecord rest) {
  Key key(detail_alone ? "details" : "records", kind, rule);
  Group& group = groups_[key];
  group.first = group.count == 0 ? index : std::min(group.first, index);
  group.end = std::max(group.end, index + 1);
  ++group.count;
  rests_[index] = {std::move(key), std::move(rest)};
}

bool Destruction::full() const { return groups_.size() >= limits::kSweepRecordsMax; }

void Destruction::Write(Context& ctx, const policy::CompiledBundle& bundle) {
  std::map<Key, uint64_t> indexes;
  const Bytes event = ctx.NewEventId();
  for (const auto& [key, group] : groups_) {
    v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_SWEEP);
    record.set_event_id(event);
    record.set_bundle_digest(ctx.meta().active_bundle());
    auto* facts = record.mutable_facts();
    facts->set_text(bundle.name() + " " + bundle.version());
    facts->set_count(group.count);
    facts->set_swept(std::get<0>(key));
    facts->set_swept_kind(std::get<1>(key));
    facts->set_rule(std::get<2>(key));
    facts->set_first_index(group.first);
    facts->set_end_index(group.end);
    indexes[key] = ctx.AddRecord(std::move(record)).index();
  }
  for (auto& [index, rest] : rests_) {
    const uint64_t sweep = indexes[rest.group];
    if (rest.record.destroyed_us() != 0) {
      rest.record.set_sweep_index(sweep);
    } else {
      rest.record.set_detail_sweep_index(sweep);
    }
    ctx.Put(Family::kRecords, keys::Record(index), rest.record);
  }
  ctx.MarkDestroyed();
  ctx.meta().set_swept_position(ctx.position());
}

Result<Answer> Apply(Context& ctx, const Sweep&) {
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_ASSIGN(auto state, LoadState(ctx, *bundle));
  const Bytes before = state.SerializeAsString();
  // LIMIT: signals, statements and each walk get the same share of one command.
  const size_t share = limits::kSweepItemsMax / (2 + static_cast<size_t>(state.walks_size()));
  Destruction destruction;
  SCHAKEL_ASSIGN(const bool statements, SweepStatements(ctx, *bundle, share, &destruction));
  SCHAKEL_ASSIGN(const bool signals, SweepSignals(ctx, *bundle, share, &destruction));
  SCHAKEL_ASSIGN(const bool records, SweepRecords(ctx, *bundle, share, &state, &destruction));
  ctx.effects().sweep_left = !statements || !signals || !records;
  if (state.SerializeAsString() != before) ctx.Put(Family::kHot, keys::Sweeping(), state);
  if (!destruction.empty()) destruction.Write(ctx, *bundle);
  return Answer(std::monostate{});
}

}  // namespace schakel::machine

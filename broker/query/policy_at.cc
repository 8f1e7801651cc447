// Which bundle was active: activations are remembered by their time and record, and stay.
#include <functional>

#include "broker/machine/context.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"
#include "broker/query/state_parts.h"

namespace schakel::query {

using store::Family;

namespace {

struct FoundActivation {
  uint64_t time_us = 0;
  uint64_t index = 0;
  state::v1::Activation value;
};

// The one that a scan came upon first.
class FirstActivation {
 public:
  bool operator()(BytesView key, BytesView value) {
    ByteReader reader(key.substr(1));
    found_.emplace();
    found_->time_us = reader.U64().value_or(0);
    found_->index = reader.U64().value_or(0);
    sound_ =
        reader.Done() && found_->value.ParseFromArray(value.data(), static_cast<int>(value.size()));
    return false;
  }
  Result<std::optional<FoundActivation>> Take() {
    if (!sound_) return Damaged("a stored value is no Activation");
    return std::move(found_);
  }

 private:
  bool sound_ = true;
  std::optional<FoundActivation> found_;
};

Result<std::optional<FoundActivation>> LastUpTo(const PastPage& page) {
  FirstActivation first;
  SCHAKEL_TRY(page.state.ScanReverse(
      Family::kRegistry, machine::keys::ActivationPrefix(),
      machine::keys::Activation(page.moment.at_us, page.moment.end_index), std::ref(first)));
  return first.Take();
}

Result<std::optional<FoundActivation>> FirstAfter(const PastPage& page) {
  FirstActivation first;
  SCHAKEL_TRY(page.state.Scan(
      Family::kRegistry, machine::keys::Activation(page.moment.at_us, page.moment.end_index),
      store::PrefixEnd(machine::keys::ActivationPrefix()), std::ref(first)));
  return first.Take();
}

}  // namespace

Result<v1::PolicyAt> ActiveAt(const PastPage& page, Bundles& bundles) {
  SCHAKEL_ASSIGN(const auto active, LastUpTo(page));
  const auto digest = active ? Digest::From(active->value.bundle_digest()) : std::nullopt;
  if (!digest) return Damaged("no bundle was active");
  SCHAKEL_ASSIGN(const auto bundle, bundles.Of(page.state, *digest));
  v1::PolicyAt at;
  at.set_digest(digest->str());
  at.set_name(bundle->name());
  at.set_version(bundle->version());
  machine::SetTimestamp(active->time_us, at.mutable_since());
  at.set_record_index(active->index);
  at.set_organisation(active->value.organisation());
  SCHAKEL_ASSIGN(const auto stored, RecordAt(page.state, active->index));
  v1::Record record;
  if (stored.destroyed_us() == 0) {
    if (!record.ParseFromString(stored.record())) return Damaged("a stored value is no Record");
    if (page.scope.Covers(record)) at.set_actor(record.actor());
  }
  SCHAKEL_ASSIGN(const auto next, FirstAfter(page));
  if (next && next->index < page.tree_size) {
    machine::SetTimestamp(next->time_us, at.mutable_replaced());
    at.set_replaced_index(next->index);
  }
  return at;
}

}  // namespace schakel::query

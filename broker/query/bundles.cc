#include "broker/query/bundles.h"

#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"

namespace schakel::query {

namespace {
constexpr size_t kBundlesMax = 8;
}  // namespace

Result<CompiledBundle> Bundles::Of(const store::StateReader& state, const Digest& digest) {
  {
    std::lock_guard lock(mutex_);
    for (auto it = recent_.begin(); it != recent_.end(); ++it) {
      if (it->digest != digest) continue;
      recent_.splice(recent_.begin(), recent_, it);
      return it->bundle;
    }
  }
  SCHAKEL_ASSIGN(auto raw, state.Get(store::Family::kRegistry, machine::keys::Bundle(digest)));
  if (!raw) return NotFound("no bundle of that digest was ever activated here", "digest");
  // Outside the lock: compiling takes milliseconds, and twice does no harm.
  machine::Facts facts;
  SCHAKEL_ASSIGN(auto bundle, facts.BundleOf(state, digest));
  std::lock_guard lock(mutex_);
  recent_.push_front({digest, bundle});
  if (recent_.size() > kBundlesMax) recent_.pop_back();
  return bundle;
}

Result<ActiveBundle> Bundles::Active(const store::StateReader& state) {
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  auto digest = Digest::From(meta.active_bundle());
  if (!digest) return Damaged("no bundle is active");
  SCHAKEL_ASSIGN(auto bundle, Of(state, *digest));
  return ActiveBundle{*digest, std::move(bundle)};
}

Result<ActiveBundle> Bundles::Named(const store::StateReader& state, const Bytes& digest) {
  if (digest.empty()) return Active(state);
  auto named = Digest::From(digest);
  if (!named) return InvalidArgument("FIELD_INVALID", "digest", "32 bytes, or none, expected");
  SCHAKEL_ASSIGN(auto bundle, Of(state, *named));
  return ActiveBundle{*named, std::move(bundle)};
}

}  // namespace schakel::query

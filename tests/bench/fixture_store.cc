#include "tests/bench/fixture_store.h"

namespace schakel::bench {

namespace {

constexpr size_t kCacheBytes = size_t{256} << 20;  // as a broker has by default

Result<std::unique_ptr<store::Store>> Open(const std::filesystem::path& folder, bool create) {
  store::StoreOptions options;
  options.folder = folder;
  options.create = create;
  options.cache_bytes = kCacheBytes;
  return store::Store::Open(std::move(options));
}

}  // namespace

Result<std::unique_ptr<store::Store>> NewStoreOf(testing::MachineFixture& fixture,
                                                 const std::filesystem::path& folder) {
  SCHAKEL_ASSIGN(auto store, Open(folder, true));
  store::Batch batch;
  for (const auto family : store::kFamilies) {
    for (auto& [key, value] : fixture.state().Contents(family)) batch.Put(family, key, value);
  }
  SCHAKEL_TRY(store->Commit(batch, fixture.state().position()));
  return store;
}

Result<std::unique_ptr<store::Store>> OpenStore(const std::filesystem::path& folder) {
  return Open(folder, false);
}

}  // namespace schakel::bench

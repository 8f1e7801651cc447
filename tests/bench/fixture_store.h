// A fixture's state in a store on disk: a broker's own store without a transport before it.
#pragma once

#include <filesystem>
#include <memory>

#include "broker/store/store.h"
#include "tests/support/machine_fixture.h"

namespace schakel::bench {

// A new store in `folder`, with the cache that a broker has by default.
Result<std::unique_ptr<store::Store>> NewStoreOf(testing::MachineFixture& fixture,
                                                 const std::filesystem::path& folder);
// The one that is there.
Result<std::unique_ptr<store::Store>> OpenStore(const std::filesystem::path& folder);

}  // namespace schakel::bench

// Changes a closed store behind its back, as another version of the program would. No RocksDB type.
#pragma once

#include <filesystem>
#include <string_view>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::store::testing {

// A key of the store's own (FORMAT.md, "The store's own keys").
Result<Bytes> ReadOwnKey(const std::filesystem::path& folder, std::string_view key);
Status WriteOwnKey(const std::filesystem::path& folder, std::string_view key, BytesView value);
Status AddFamily(const std::filesystem::path& folder, std::string_view name);

}  // namespace schakel::store::testing

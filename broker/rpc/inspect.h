// `schakel-broker inspect`: what a store that nobody uses holds, what its head file knows beyond
// that, and whether it holds a given checkpoint. Reads only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "broker/base/result.h"
#include "broker/merkle/tree.h"

namespace schakel::rpc {

struct InspectOptions {
  std::filesystem::path data_folder;
  std::filesystem::path head_file;   // empty: none is compared
  std::filesystem::path checkpoint;  // a signed note; empty: none is compared
  size_t cache_bytes = size_t{64} << 20;
  bool every_file = false;  // read every file and compare it with its check sum
};

// How a store stands to a head or a checkpoint.
enum class Standing {
  kHolds,    // it is the store's own, or an earlier one of it
  kLacks,    // it goes on where the store ends: what lies between is lost
  kDiffers,  // another log, or another root at that size
};

struct Compared {
  Standing standing = Standing::kDiffers;
  std::string origin;
  uint64_t size = 0;
};

struct Inspection {
  std::string origin;
  uint64_t position = 0;
  merkle::TreeHead tree;
  std::string high_water_doubt;  // empty: none, or no head file was asked for
  bool head_missing = false;     // a head file was asked for and there is none
  std::optional<Compared> head;
  std::optional<Compared> checkpoint;

  // Nothing is lost and nothing differs, as far as was compared.
  bool AllHeld() const;
  // For the operator, in lines.
  std::string Text() const;
};

// Errors: those of Store::Open; LOG_MISSING; FIELD_INVALID with the path of a checkpoint that can't
// be read; and, for one that this log's key did not sign, those of merkle::OpenCheckpoint.
Result<Inspection> Inspect(const InspectOptions& options);

}  // namespace schakel::rpc

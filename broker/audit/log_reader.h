// The log for everybody: the last checkpoint, proofs and tiles. Only what the last signed
// checkpoint covers is shown; none of it is a record, and reading it is none. SOURCE: RFC 6962 2.1;
// C2SP tlog-checkpoint, tlog-tiles
#pragma once

#include <optional>
#include <string>

#include "broker/base/result.h"
#include "broker/merkle/checkpoint.h"
#include "broker/store/state_reader.h"
#include "schakel/state/v1/state.pb.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::audit {

// Where the log stands; nullopt in a store without a log.
Result<std::optional<state::v1::Meta>> ReadMeta(const store::StateReader& state);
// The same. UNAVAILABLE NOT_SERVING in a store without a log.
Result<state::v1::Meta> MetaOf(const store::StateReader& state);

struct SignedHead {
  std::string note;  // as it was signed
  merkle::Checkpoint checkpoint;
};

// The last checkpoint. UNAVAILABLE NOT_SERVING, with a time to try again, while none was signed.
Result<SignedHead> LastCheckpoint(const store::StateReader& state);

Result<v1::GetCheckpointResponse> GetCheckpoint(const store::StateReader& state);

// FIELD_INVALID index, tree_size when they lie outside the checkpoint's tree.
Result<v1::GetInclusionProofResponse> GetInclusionProof(
    const store::StateReader& state, const v1::GetInclusionProofRequest& request);

// FIELD_INVALID first_size, second_size.
Result<v1::GetConsistencyProofResponse> GetConsistencyProof(
    const store::StateReader& state, const v1::GetConsistencyProofRequest& request);

// Full and partial tiles. FIELD_INVALID level, width; NOT_FOUND for a tile that the checkpoint's
// tree does not have.
Result<v1::GetTileResponse> GetTile(const store::StateReader& state,
                                    const v1::GetTileRequest& request);

}  // namespace schakel::audit

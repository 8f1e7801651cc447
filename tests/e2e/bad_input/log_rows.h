// Rows that the readers of both logs share, the broker's and a custodian's: proofs, tiles, filters.
#pragma once

#include "tests/e2e/bad_input/table.h"

namespace schakel::e2e {

// Of requests with fields as GetInclusionProof, GetConsistencyProof and GetTile have them. The
// valid ones: index and size 0; first_size 1; the first tile with width 1.
void InclusionRows(RpcTable& t);
void ConsistencyRows(RpcTable& t);
void TileRows(RpcTable& t);

// What a filter of records has in any log: time, organisation, actor, kinds, outcome. The valid one
// is from 1'000'000 to 2'000'000'000 seconds.
void RecordFilterRows(RpcTable& t);

}  // namespace schakel::e2e

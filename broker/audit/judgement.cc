#include "broker/audit/judgement.h"

#include "broker/audit/log_reader.h"
#include "broker/audit/log_tree.h"
#include "broker/merkle/proof.h"
#include "broker/merkle/tile.h"

namespace schakel::audit {

Result<Judgement> Judge(const store::Store& store, const store::HeadStore& heads,
                        const std::string& program) {
  Judgement judgement;
  auto head = heads.Read();
  SCHAKEL_ASSIGN(auto meta, ReadMeta(store.durable()));
  if (!meta) {
    if (head.ok() && !*head) {
      return MakeError(ErrorCode::kFailedPrecondition, "LOG_MISSING",
                       "the data folder holds no log; run " + program + " init");
    }
    judgement.why = "the data folder is empty, but a head file is there";
    return judgement;
  }
  if (!head.ok()) {
    judgement.why = head.error().message;
    return judgement;
  }
  judgement.head = *head;
  store::StoredLog log;
  log.origin = meta->origin();
  log.size = meta->tree_size();
  log.position = meta->position();
  log.root_at = [&](uint64_t size) -> Result<Digest> {
    auto tiles = [&](const merkle::TileId& tile) { return ReadTile(store.durable(), tile); };
    return merkle::RangeRoot(0, size, merkle::NodesFromTiles(log.size, tiles));
  };
  SCHAKEL_ASSIGN(auto state, store::CompareHead(*head, log));
  if (state.verdict == store::HeadState::Verdict::kRestored) {
    judgement.why = state.why;
  } else if (!store.facts().Doubtful(&judgement.why)) {
    judgement.mode = Mode::kServing;
  }
  return judgement;
}

}  // namespace schakel::audit

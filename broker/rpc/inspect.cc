#include "broker/rpc/inspect.h"

#include "broker/machine/log_tree.h"
#include "broker/machine/machine.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/tile.h"
#include "broker/rpc/settings.h"
#include "broker/store/head_store.h"
#include "broker/store/store.h"

namespace schakel::rpc {
namespace {

class Comparison {
 public:
  Comparison(const store::Store& store, const Inspection& inspection)
      : store_(store), inspection_(inspection) {}

  Result<Compared> With(const std::string& origin, const merkle::TreeHead& head) const {
    Compared compared{Standing::kDiffers, origin, head.size};
    if (origin != inspection_.origin) return compared;
    if (head.size > inspection_.tree.size) {
      compared.standing = Standing::kLacks;
      return compared;
    }
    SCHAKEL_ASSIGN(const Digest root, RootAt(head.size));
    if (root == head.root) compared.standing = Standing::kHolds;
    return compared;
  }

  Result<Digest> RootAt(uint64_t size) const {
    const auto tiles = [&](const merkle::TileId& tile) {
      return machine::ReadTile(store_.durable(), tile);
    };
    return merkle::RangeRoot(0, size, merkle::NodesFromTiles(inspection_.tree.size, tiles));
  }

 private:
  const store::Store& store_;
  const Inspection& inspection_;
};

std::string Line(const std::string& what, const Compared& compared, const Inspection& own) {
  const std::string size = std::to_string(compared.size);
  switch (compared.standing) {
    case Standing::kHolds:
      return what + ": " + size + " records; the store holds them all, unchanged\n";
    case Standing::kLacks:
      return what + ": " + size + " records; LOST: the store ends at " +
             std::to_string(own.tree.size) + ", the records " + std::to_string(own.tree.size) +
             " to " + std::to_string(compared.size - 1) + " (counted from 0) are not in it\n";
    case Standing::kDiffers:
      break;
  }
  if (compared.origin != own.origin) {
    return what + ": of another log, " + compared.origin + "; it can't be compared\n";
  }
  return what + ": " + size + " records; DIFFERS: the store has others in their place\n";
}

}  // namespace

bool Inspection::AllHeld() const {
  if (!high_water_doubt.empty() || head_missing) return false;
  for (const auto* compared : {&head, &checkpoint}) {
    if (*compared && (*compared)->standing != Standing::kHolds) return false;
  }
  return true;
}

std::string Inspection::Text() const {
  std::string text = "log: " + origin + "\nrecords: " + std::to_string(tree.size) +
                     "\nroot: " + Base64Encode(tree.root.view()) +
                     "\nposition: " + std::to_string(position) + "\n";
  if (!high_water_doubt.empty()) text += "doubt: " + high_water_doubt + "\n";
  if (head_missing) text += "head file: none is there, which puts the store in doubt\n";
  if (head) text += Line("head file", *head, *this);
  if (checkpoint) text += Line("checkpoint", *checkpoint, *this);
  return text;
}

Result<Inspection> Inspect(const InspectOptions& options) {
  store::StoreOptions how;
  how.folder = options.data_folder;
  how.read_only = true;
  how.cache_bytes = options.cache_bytes;
  SCHAKEL_ASSIGN(const auto store, store::Store::Open(std::move(how)));
  SCHAKEL_ASSIGN(const auto meta, machine::ReadMeta(store->durable()));
  if (!meta) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_MISSING", "the store holds no log");
  }
  Inspection inspection;
  inspection.origin = meta->origin();
  inspection.position = meta->position();
  inspection.tree.size = meta->tree_size();
  // A copy has no high-water file: only beside the head does that mean something.
  if (!options.head_file.empty()) {
    static_cast<void>(store->facts().Doubtful(&inspection.high_water_doubt));
  }
  const Comparison comparison(*store, inspection);
  SCHAKEL_ASSIGN(inspection.tree.root, comparison.RootAt(inspection.tree.size));
  if (options.every_file) SCHAKEL_TRY(store->VerifyFiles());
  if (!options.head_file.empty()) {
    SCHAKEL_ASSIGN(const auto head, store::FileHeadStore(options.head_file).Read());
    inspection.head_missing = !head;
    if (head) {
      SCHAKEL_ASSIGN(inspection.head, comparison.With(head->origin, {head->size, head->root}));
    }
  }
  if (!options.checkpoint.empty()) {
    SCHAKEL_ASSIGN(const Bytes note, ReadFile(options.checkpoint));
    SCHAKEL_ASSIGN(const auto key, merkle::VerifierKey::Parse(meta->log_key()));
    SCHAKEL_ASSIGN(const auto checkpoint, merkle::OpenCheckpoint(note, key));
    SCHAKEL_ASSIGN(inspection.checkpoint, comparison.With(checkpoint.origin, checkpoint.head));
  }
  return inspection;
}

}  // namespace schakel::rpc

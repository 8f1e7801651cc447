#include "broker/store/insert_hint.h"

#include <string_view>

namespace schakel::store {
namespace {

constexpr size_t kKind = 1;
constexpr size_t kKindAndOrganisation = 21;

// Keys of these kinds, each with as many bytes in front as name its order (FORMAT.md). RocksDB keeps
// one place for each of these beginnings, so there must be few of them: none that names a subject.
class Ascending final : public rocksdb::SliceTransform {
 public:
  // `by_organisation`: kinds that are in order within one organisation. `alone`: all of the kind.
  Ascending(std::string_view by_organisation, std::string_view alone)
      : by_organisation_(by_organisation), alone_(alone) {}

  const char* Name() const override { return "schakel.ascending"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), Length(key)};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return Length(key) != 0; }

 private:
  size_t Length(const rocksdb::Slice& key) const {
    if (key.empty()) return 0;
    if (alone_.find(key[0]) != std::string_view::npos) return kKind;
    bool organisation = by_organisation_.find(key[0]) != std::string_view::npos;
    return organisation && key.size() > kKindAndOrganisation ? kKindAndOrganisation : 0;
  }

  const std::string_view by_organisation_;
  const std::string_view alone_;
};

}  // namespace

std::shared_ptr<const rocksdb::SliceTransform> InsertHintOf(Family family) {
  switch (family) {
    case Family::kHot:
      // Signal, Feed, Item, Ready; Timer.
      return std::make_shared<Ascending>("seir", "t");
    case Family::kContent:
      return std::make_shared<Ascending>("s", "");
    case Family::kRecords:
      return std::make_shared<Ascending>("", "r");
    case Family::kLocal:
      // PartyIndex; SignalIndex.
      return std::make_shared<Ascending>("p", "g");
    case Family::kTiles:
    case Family::kRegistry:
      break;
  }
  return nullptr;
}

}  // namespace schakel::store

#include "clients/sdk/key_set_pins.h"

#include <string>

#include "clients/sdk/files.h"
#include "schakel/client/v1/state.pb.h"

namespace schakel::sdk {
namespace {

Error Refused(const VerifiedKeySet& key_set, const std::string& why) {
  const std::string& oin = key_set.key_set.oin.str();
  return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INVALID",
                   "the broker handed out a key set of " + oin + " that " + why +
                       "; do not send to it, ask its owner for the current version",
                   oin);
}

}  // namespace

Status KeySetPins::CheckAndRaise(const VerifiedKeySet& key_set) const {
  std::filesystem::path lock_file = file_;
  lock_file += ".lock";
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(lock_file));
  SCHAKEL_ASSIGN(const auto content, ReadFileIfThere(file_));
  client::v1::KeySetPins pins;
  if (content && !pins.ParseFromString(*content)) {
    // Starting anew would forget what protects against old keys: a person decides that.
    return MakeError(ErrorCode::kDataLoss, "PINS_DAMAGED",
                     file_.string() + " is damaged; restore it, or remove it to start anew",
                     file_.string());
  }
  const uint64_t version = key_set.key_set.version;
  auto& pin = (*pins.mutable_pins())[key_set.key_set.oin.str()];
  if (version < pin.version()) {
    return Refused(key_set, "is older than one that was seen before (version " +
                                std::to_string(version) + ", seen " +
                                std::to_string(pin.version()) + ")");
  }
  if (version == pin.version()) {
    if (pin.digest() == key_set.digest.view()) return {};
    return Refused(key_set, "differs from the one that was seen under the same version");
  }
  if (version == pin.version() + 1 && pin.version() > 0 &&
      key_set.key_set.previous.view() != BytesView(pin.digest())) {
    return Refused(key_set, "does not follow on the one that was seen before");
  }
  pin.set_version(version);
  pin.set_digest(key_set.digest.str());
  return WriteFileDurably(file_, pins.SerializeAsString());
}

}  // namespace schakel::sdk

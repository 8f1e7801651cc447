#include "tests/crash/oracle.h"

namespace schakel::crash {

void Oracle::Accepted(const v1::SignalAccepted& accepted) {
  std::lock_guard lock(mutex_);
  accepted_[accepted.signal_id()] = accepted;
}

void Oracle::Delivered(const Bytes& signal_id) {
  std::lock_guard lock(mutex_);
  ++deliveries_;
  if (acknowledged_.contains(signal_id)) {
    faults_.push_back("delivered after its acknowledgement was answered OK: " +
                      UuidText(signal_id));
  }
}

void Oracle::Acknowledged(const Bytes& signal_id) {
  std::lock_guard lock(mutex_);
  acknowledged_.insert(signal_id);
}

std::vector<v1::SignalAccepted> Oracle::accepted() const {
  std::lock_guard lock(mutex_);
  std::vector<v1::SignalAccepted> all;
  for (const auto& [id, accepted] : accepted_) all.push_back(accepted);
  return all;
}

bool Oracle::IsAcknowledged(const Bytes& signal_id) const {
  std::lock_guard lock(mutex_);
  return acknowledged_.contains(signal_id);
}

size_t Oracle::deliveries() const {
  std::lock_guard lock(mutex_);
  return deliveries_;
}

std::vector<std::string> Oracle::faults() const {
  std::lock_guard lock(mutex_);
  return faults_;
}

}  // namespace schakel::crash

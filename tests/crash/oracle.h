// What the clients of a broker were told. Whatever it was, it must hold after any crash.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "broker/base/ids.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::crash {

// Thread-safe.
class Oracle {
 public:
  // A publish was answered OK.
  void Accepted(const v1::SignalAccepted& accepted);
  // A signal was handed to its reader. False, with the reason kept, when its acknowledgement was
  // answered OK before: then it may never come again.
  void Delivered(const Bytes& signal_id);
  // An acknowledgement was answered OK.
  void Acknowledged(const Bytes& signal_id);

  std::vector<v1::SignalAccepted> accepted() const;
  bool IsAcknowledged(const Bytes& signal_id) const;
  size_t deliveries() const;
  // What went wrong so far.
  std::vector<std::string> faults() const;

 private:
  mutable std::mutex mutex_;
  std::map<Bytes, v1::SignalAccepted> accepted_;
  std::set<Bytes> acknowledged_;
  size_t deliveries_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace schakel::crash

// A log that nobody else has, to measure with: records as the broker makes of signals that are
// sent.
#pragma once

#include "broker/merkle/entry.h"
#include "broker/merkle/export_format.h"
#include "broker/merkle/tree.h"
#include "schakel/v1/record.pb.h"

namespace schakel::bench {

class SampleLog {
 public:
  // Its first record is of this time, each other one microsecond later than the one before.
  explicit SampleLog(uint64_t begins_us);

  // The next record, as an export holds it; what it refers to is valid until the next call.
  merkle::ExportFrame Next();
  // Behind the last record.
  merkle::TreeHead Head() const { return frontier_.Head(); }

 private:
  const uint64_t begins_us_;
  v1::Record record_;
  Bytes bytes_;
  merkle::CommandEntropy entropy_;
  merkle::Frontier frontier_;
};

}  // namespace schakel::bench

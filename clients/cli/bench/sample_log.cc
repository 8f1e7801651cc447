#include "clients/cli/bench/sample_log.h"

namespace schakel::bench {

SampleLog::SampleLog(uint64_t begins_us) : begins_us_(begins_us) {
  record_.set_kind(v1::RECORD_KIND_PUBLISH);
  record_.set_organisation("00000099000000001000");
  record_.set_actor("bench");
  record_.set_event_id(Bytes(16, 'e'));
  record_.set_signal_id(Bytes(16, 's'));
  record_.set_signal_type("rent-arrears");
  record_.set_purpose("prevent-eviction");
  record_.set_bundle_digest(Bytes(32, 'b'));
  record_.set_envelope_digest(Bytes(32, 'd'));
}

merkle::ExportFrame SampleLog::Next() {
  const uint64_t index = frontier_.size();
  record_.set_index(index);
  record_.set_position(index + 1);
  record_.set_time_us(begins_us_ + index);
  bytes_ = record_.SerializeAsString();
  merkle::ExportFrame frame;
  frame.kind = merkle::FrameKind::kRecord;
  frame.salt = merkle::RecordSaltOf(entropy_, static_cast<uint16_t>(index));
  frame.record = bytes_;
  frame.entry = merkle::EntryOf(frame.salt, frame.record);
  frontier_.Append(frame.entry);
  return frame;
}

}  // namespace schakel::bench

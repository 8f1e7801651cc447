#include <gtest/gtest.h>

#include "tests/unit/merkle/export_support.h"

namespace schakel::merkle {
namespace {

ExportVerifier NewVerifier() { return ExportVerifier(ExportKey(), ReadTestRecord); }

// Every byte of the export, set to each of its 255 other values. To be done in time, verification
// starts from the state before the changed frame, which is the same as for the unchanged export.
class EveryByteChange : public testing::TestWithParam<size_t> {};

constexpr size_t kShards = 4;

TEST_P(EveryByteChange, OfA300RecordExportIsDetected) {
  const TestExport made = MakeExport(300);
  ExportVerifier whole = NewVerifier();
  ASSERT_TRUE(VerifyExport(made.bytes, whole).ok());
  ExportVerifier before = NewVerifier();
  size_t changes = 0;
  for (size_t f = 0; f < made.frame_begin.size(); ++f) {
    const bool is_checkpoint = f == 300;
    const size_t begin = made.frame_begin[f];
    const size_t end = is_checkpoint ? made.bytes.size() : made.frame_begin[f + 1];
    Bytes changed = made.bytes.substr(begin, end - begin);
    for (size_t i = 0; i < changed.size(); ++i) {
      if ((begin + i) % kShards != GetParam()) continue;
      const char original = changed[i];
      for (int value = 0; value < 256; ++value) {
        if (static_cast<char>(value) == original) continue;
        changed[i] = static_cast<char>(value);
        ++changes;
        ExportVerifier verifier = before;
        ExportReader reader;
        reader.Append(changed);
        bool detected = !Drain(reader, verifier).ok();
        for (size_t g = f + 1; g < made.frame_begin.size() && !detected; ++g) {
          const size_t stop = g == 300 ? made.bytes.size() : made.frame_begin[g + 1];
          reader.Append(
              BytesView(made.bytes).substr(made.frame_begin[g], stop - made.frame_begin[g]));
          detected = !Drain(reader, verifier).ok();
        }
        if (!detected) {
          auto checkpoint = reader.Finish();
          detected = !checkpoint.ok() || !verifier.Finish(*checkpoint).ok();
        }
        ASSERT_TRUE(detected) << "frame " << f << " byte " << i << " value " << value;
      }
      changed[i] = original;
    }
    if (is_checkpoint) break;
    ExportReader reader;
    reader.Append(changed);
    ASSERT_TRUE(Drain(reader, before).ok());
  }
  EXPECT_GE(changes, made.bytes.size() / kShards * 255);
}

INSTANTIATE_TEST_SUITE_P(Shards, EveryByteChange, testing::Range<size_t>(0, kShards));

}  // namespace
}  // namespace schakel::merkle

#include "broker/store/high_water.h"

#include <gtest/gtest.h>

#include "tests/unit/store/temp_folder.h"

namespace schakel::store {
namespace {

using State = HighWaterReading::State;

TEST(HighWaterFile, IsMadeWithPositionZeroAndKeepsTheLastPosition) {
  const TempFolder folder;
  const auto path = folder / "high-water";
  EXPECT_EQ(ReadHighWater(path)->state, State::kMissing);
  {
    auto file = HighWaterFile::Open(path);
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(*ReadHighWater(path), (HighWaterReading{State::kRead, 0}));
    ASSERT_TRUE(file->Write(41).ok());
    ASSERT_TRUE(file->Write(42).ok());
  }
  ASSERT_TRUE(HighWaterFile::Open(path).ok());
  EXPECT_EQ(*ReadHighWater(path), (HighWaterReading{State::kRead, 42}));
  EXPECT_EQ(std::filesystem::file_size(path), 16u);
}

TEST(HighWaterFile, NoticesEverySingleBitFlip) {
  const Bytes good = EncodeHighWater(0x0123456789abcdef);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(DecodeHighWater(bad).state, State::kDamaged) << "bit " << bit;
  }
}

TEST(HighWaterFile, NoticesAWrongLength) {
  const Bytes good = EncodeHighWater(7);
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_EQ(DecodeHighWater(BytesView(good).substr(0, length)).state, State::kDamaged);
  }
  EXPECT_EQ(DecodeHighWater(good + '\0').state, State::kDamaged);
}

TEST(HighWaterFile, IsWholeAgainAfterAWriteOverADamagedOne) {
  const TempFolder folder;
  const auto path = folder / "high-water";
  WriteAllTo(path, Bytes(40, 'x'));
  auto file = HighWaterFile::Open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(ReadHighWater(path)->state, State::kDamaged);
  ASSERT_TRUE(file->Write(9).ok());
  EXPECT_EQ(*ReadHighWater(path), (HighWaterReading{State::kRead, 9}));
}

}  // namespace
}  // namespace schakel::store

// Makes the worked examples of broker/store/FORMAT.md anew.
#include <gtest/gtest.h>

#include "broker/store/family.h"
#include "broker/store/head_store.h"
#include "broker/store/high_water.h"
#include "tests/support/paths.h"
#include "tests/unit/store/temp_folder.h"

namespace schakel::store {
namespace {

// True when the page shows `line` as an example of its own.
bool Shows(const std::string& line) {
  const std::string page = ReadAll(checkout::SourcePath("broker/store/FORMAT.md"));
  return page.find("\n    " + line + "\n") != std::string::npos;
}

TEST(FormatPage, ShowsTheHighWaterFile) {
  EXPECT_TRUE(Shows(HexEncode(EncodeHighWater(4660)))) << HexEncode(EncodeHighWater(4660));
}

TEST(FormatPage, ShowsTheHeadFile) {
  const Head head{"log.example/zhz", 300, *Digest::From(Bytes(32, '\xab')), 4660};
  EXPECT_TRUE(Shows(HexEncode(EncodeHead(head)))) << HexEncode(EncodeHead(head));
}

TEST(FormatPage, NamesEveryFamilyInAChapter) {
  const std::string page = ReadAll(checkout::SourcePath("broker/store/FORMAT.md"));
  for (const Family family : kFamilies) {
    EXPECT_NE(page.find("\n## Family `" + std::string(FamilyName(family)) + "`\n"),
              std::string::npos)
        << FamilyName(family);
  }
}

}  // namespace
}  // namespace schakel::store

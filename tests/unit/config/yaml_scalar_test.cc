#include "broker/config/yaml_scalar.h"

#include <gtest/gtest.h>

#include <limits>

namespace schakel::config {
namespace {

TEST(YamlScalar, ReadsWholeNumbersAndNothingElse) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("-12"), -12);
  EXPECT_EQ(ParseInteger("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseUnsigned("18446744073709551615"), std::numeric_limits<uint64_t>::max());
  for (const char* bad : {"", "-", "+1", "1.0", "1e3", "0x10", "010", "1_000", " 1", "1 ", "٣",
                          "9223372036854775808"}) {
    EXPECT_EQ(ParseInteger(bad), std::nullopt) << bad;
  }
  for (const char* bad : {"-1", "18446744073709551616", "007"}) {
    EXPECT_EQ(ParseUnsigned(bad), std::nullopt) << bad;
  }
}

TEST(YamlScalar, ReadsByteSizes) {
  EXPECT_EQ(ParseByteSize("512"), 512u);
  EXPECT_EQ(ParseByteSize("64KiB"), 64u << 10);
  EXPECT_EQ(ParseByteSize("256MiB"), 256u << 20);
  EXPECT_EQ(ParseByteSize("1GiB"), 1u << 30);
  for (const char* bad : {"", "KiB", "1KB", "1kib", "1 MiB", "-1KiB", "1.5GiB", "99999999999TiB"}) {
    EXPECT_EQ(ParseByteSize(bad), std::nullopt) << bad;
  }
}

TEST(YamlScalar, ReadsDurations) {
  EXPECT_EQ(ParseDurationMs("500ms"), 500);
  EXPECT_EQ(ParseDurationMs("10s"), 10'000);
  EXPECT_EQ(ParseDurationMs("5min"), 300'000);
  EXPECT_EQ(ParseDurationMs("12h"), 43'200'000);
  EXPECT_EQ(ParseDurationMs("30d"), 2'592'000'000);
  // m could be a minute or a month.
  for (const char* bad : {"", "5", "5m", "-1s", "1.5h", "1h30min", "99999999999999d", "10 s"}) {
    EXPECT_EQ(ParseDurationMs(bad), std::nullopt) << bad;
  }
}

TEST(YamlScalar, ChecksForms) {
  const auto fits = [](schakel::v1::YamlForm form, std::string_view text) {
    return !FormProblem(form, text).has_value();
  };
  EXPECT_TRUE(fits(schakel::v1::YAML_FORM_CODE, "rent-arrears"));
  for (const char* bad : {"", "Rent", "-rent", "rent-", "1rent", "rent_arrears", "rent arrears"}) {
    EXPECT_FALSE(fits(schakel::v1::YAML_FORM_CODE, bad)) << bad;
  }
  EXPECT_FALSE(fits(schakel::v1::YAML_FORM_CODE, std::string(65, 'a')));
  EXPECT_TRUE(fits(schakel::v1::YAML_FORM_OIN, "00000099000000001000"));
  EXPECT_FALSE(fits(schakel::v1::YAML_FORM_OIN, "0000009900000000100"));
  EXPECT_FALSE(fits(schakel::v1::YAML_FORM_OIN, "0000009900000000100x"));
  EXPECT_TRUE(fits(schakel::v1::YAML_FORM_DIGEST, std::string(64, 'a')));
  EXPECT_FALSE(fits(schakel::v1::YAML_FORM_DIGEST, std::string(64, 'A')));
  EXPECT_TRUE(fits(schakel::v1::YAML_FORM_FUNCTION_AT_AREA, "debt-relief@dordrecht"));
  EXPECT_FALSE(fits(schakel::v1::YAML_FORM_FUNCTION_AT_AREA, "debt-relief"));
  EXPECT_FALSE(fits(schakel::v1::YAML_FORM_FUNCTION_AT_AREA, "debt-relief@Dordrecht"));
  EXPECT_TRUE(fits(schakel::v1::YAML_FORM_DOMAIN, "zhz.example"));
  for (const char* bad :
       {"", "example", ".example", "zhz.", "zhz..example", "-zhz.example", "Zhz.example"}) {
    EXPECT_FALSE(fits(schakel::v1::YAML_FORM_DOMAIN, bad)) << bad;
  }
  EXPECT_FALSE(fits(schakel::v1::YAML_FORM_UNSPECIFIED, "a\tb"));
}

TEST(YamlScalar, NamesEnumValuesAsFilesWriteThem) {
  EXPECT_EQ(EnumText("BundleRuleEffect", "BUNDLE_RULE_EFFECT_PERMIT"), "permit");
  EXPECT_EQ(EnumText("BundleObjectionEffect", "BUNDLE_OBJECTION_EFFECT_NO_EFFECT"), "no-effect");
}

}  // namespace
}  // namespace schakel::config

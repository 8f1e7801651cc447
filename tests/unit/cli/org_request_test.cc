// From an organisation's request to its admission: what is asked is shown, nothing that was changed
// on the way is admitted, and nobody is admitted by accident.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "broker/crypto/hash.h"
#include "schakel/client/v1/organisation_request.pb.h"
#include "tests/unit/cli/fake_broker.h"
#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

using nlohmann::json;

const OrganisationId kRegistrar = sdk::Oin("00000099000000000001");

class OrgRequest : public ::testing::Test {
 protected:
  OrgRequest() {
    region_.pki.Issue(kRegistrar.str());
    region_.pki.Issue(sdk::kTeam.str());
    broker_ = std::make_unique<FakeBroker>(region_);
    Become(registrar_, kRegistrar);
    Become(team_, sdk::kTeam);
  }

  void Become(User& user, const OrganisationId& oin) {
    auto& variables = user.variables;
    variables["SCHAKEL_BROKER"] = broker_->address();
    variables["SCHAKEL_CA"] = (region_.pki.path() / "ca.pem").string();
    variables["SCHAKEL_CRL"] = region_.pki.CrlFile().string();
    variables["SCHAKEL_CERTIFICATE"] = (region_.pki.path() / (oin.str() + ".chain.pem")).string();
    variables["SCHAKEL_KEY"] = (region_.pki.path() / (oin.str() + ".key")).string();
    variables["SCHAKEL_KEY_STORE"] = (user.home.path() / "keys").string();
    variables["SCHAKEL_ACTOR"] = "user-1";
    variables["SCHAKEL_ACTOR_ROLE"] = "professional";
  }
  std::string file() { return (team_.home.path() / "team.request").string(); }

  Ran Ask(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"org",
                                     "request",
                                     "--out",
                                     file(),
                                     "--name",
                                     "Wijkteam",
                                     "--contact",
                                     "FG, 078-0000000",
                                     "--sector",
                                     "municipality",
                                     "--area",
                                     "dordrecht",
                                     "--function",
                                     "neighbourhood-team@Dordrecht",
                                     "--function",
                                     "debt-relief@Dordrecht",
                                     "--bsn-authority",
                                     "Wabb art. 10"};
    args.insert(args.end(), more.begin(), more.end());
    return team_.Run(args);
  }
  Ran Admit(std::vector<std::string> more = {"--yes"}) {
    std::vector<std::string> args = {"org", "admit", "--request", file()};
    args.insert(args.end(), more.begin(), more.end());
    return registrar_.Run(args);
  }
  // A good request on disk.
  void Make() {
    ASSERT_EQ(team_.Run({"keys", "generate"}).code, ExitCode::kOk);
    const Ran ran = Ask();
    ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  }
  void ExpectRefused(const std::string& reason) {
    const Ran ran = Admit();
    EXPECT_EQ(ran.code, ExitCodeOf(InvalidArgument(reason, "", ""))) << ran.err;
    EXPECT_NE(ran.err.find(reason), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find(file()), std::string::npos) << "which file: " << ran.err;
    EXPECT_TRUE(broker_->admitted.empty());
  }

  sdk::Region region_;
  std::unique_ptr<FakeBroker> broker_;
  User registrar_;
  User team_;
};

TEST_F(OrgRequest, IsShownAndAdmitted) {
  Make();
  const Ran ran = Admit();
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  for (const char* part :
       {"Wijkteam", "00000099000000002002", "Wabb art. 10", "FG, 078-0000000", "Municipality",
        "Dordrecht", "its own in the active policy", "of 00000099000000002000 in the active policy",
        "schakel org register-keys"}) {
    EXPECT_NE(ran.err.find(part), std::string::npos) << part << "\n" << ran.err;
  }
  ASSERT_EQ(broker_->admitted.size(), 1u);
  const auto& entry = broker_->admitted[0];
  EXPECT_EQ(entry.oin(), sdk::kTeam.str());
  EXPECT_EQ(entry.name(), "Wijkteam");
  EXPECT_EQ(entry.role(), v1::ROLE_PARTNER);
  EXPECT_EQ(entry.areas(0), "dordrecht");
  EXPECT_TRUE(entry.bsn_authority());
  const auto certificate =
      crypto::Certificate::Parse(crypto::ReadText(region_.pki.path() / (sdk::kTeam.str() + ".pem")))
          .value();
  EXPECT_EQ(entry.certificate_spki_digest(), certificate.facts().spki.view());
  EXPECT_EQ(entry.certificate_issuer_digest(), certificate.facts().issuer.view());
}

TEST_F(OrgRequest, CanBeSignedElsewhere) {
  ASSERT_EQ(team_.Run({"keys", "generate"}).code, ExitCode::kOk);
  const std::string statement = (team_.home.path() / "request.bin").string();
  ASSERT_EQ(Ask({"--statement", statement}).code, ExitCode::kOk);
  ExpectRefused("REQUEST_INVALID");  // not signed yet
  ASSERT_EQ(region_.pki.Shell("openssl dgst -sha256 -sign $D/" + sdk::kTeam.str() +
                              ".key -out $D/request.sig " + statement),
            0)
      << region_.pki.output();
  const Ran attached = team_.Run({"org", "request", "--out", file(), "--signature",
                                  (region_.pki.path() / "request.sig").string()});
  ASSERT_EQ(attached.code, ExitCode::kOk) << attached.err;
  EXPECT_EQ(Admit().code, ExitCode::kOk);
  team_.File("wrong.sig", "nonsense");
  EXPECT_EQ(team_
                .Run({"org", "request", "--out", file(), "--signature",
                      (team_.home.path() / "wrong.sig").string()})
                .code,
            ExitCode::kNegative);
}

TEST_F(OrgRequest, NeedsAKeySetAndItsFields) {
  EXPECT_EQ(Ask().code, ExitCode::kConfig) << "no key set yet";
  ASSERT_EQ(team_.Run({"keys", "generate", "--no-sign"}).code, ExitCode::kOk);
  EXPECT_EQ(Ask().code, ExitCode::kConfig) << "its signature is missing";
  const Ran bare = team_.Run({"org", "request", "--out", file()});
  EXPECT_EQ(bare.code, ExitCode::kUsage);
  EXPECT_NE(bare.err.find("--name is missing"), std::string::npos) << bare.err;
}

TEST_F(OrgRequest, ThatWasChangedAnywhereIsNotAdmitted) {
  Make();
  const Bytes good = crypto::ReadText(file());
  // Every byte near the ends, and each hundredth between.
  for (size_t i = 0; i < good.size(); i += i < 40 || i + 40 > good.size() ? 1 : 97) {
    Bytes bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    crypto::WriteText(file(), bad);
    const Ran ran = Admit();
    EXPECT_NE(ran.code, ExitCode::kOk) << "byte " << i;
    EXPECT_TRUE(broker_->admitted.empty()) << "byte " << i;
    broker_->admitted.clear();
  }
}

TEST_F(OrgRequest, ThatIsNoneIsToldApart) {
  ASSERT_NO_FATAL_FAILURE(Make());
  const Bytes good = crypto::ReadText(file());
  crypto::WriteText(file(), "");
  ExpectRefused("REQUEST_INVALID");
  crypto::WriteText(file(), "-----BEGIN CERTIFICATE-----\n");
  ExpectRefused("REQUEST_INVALID");
  crypto::WriteText(file(), good.substr(0, good.size() / 2));
  ExpectRefused("REQUEST_INVALID");
  crypto::WriteText(file(), Bytes(300 * 1024, 'x'));
  ExpectRefused("TOO_LARGE");
  client::v1::SignedOrganisationRequest other;
  ASSERT_TRUE(other.ParseFromString(good));
  other.set_format(2);
  crypto::WriteText(file(), other.SerializeAsString());
  ExpectRefused("REQUEST_INVALID");
  EXPECT_EQ(registrar_.Run({"org", "admit", "--request", "/nowhere", "--yes"}).code,
            ExitCode::kNotFound);
}

TEST_F(OrgRequest, OfARevokedCertificateIsNotAdmitted) {
  Make();
  ASSERT_EQ(region_.pki.Run("revoke " + sdk::kTeam.str()), 0);
  const Ran ran = Admit();
  EXPECT_NE(ran.code, ExitCode::kOk);
  EXPECT_TRUE(broker_->admitted.empty()) << ran.err;
}

TEST_F(OrgRequest, IsNotAdmittedWithoutAYes) {
  Make();
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  registrar_.standard_input = null;
  const Ran silent = Admit({});
  EXPECT_EQ(silent.code, ExitCode::kUsage) << silent.err;
  EXPECT_NE(silent.err.find("--yes"), std::string::npos) << silent.err;
  EXPECT_TRUE(broker_->admitted.empty());
  close(null);
  for (const auto& [answer, code] :
       {std::pair("no\n", ExitCode::kNegative), std::pair("\n", ExitCode::kNegative),
        std::pair("yes\n", ExitCode::kOk)}) {
    int master = -1;
    int terminal = -1;
    ASSERT_EQ(openpty(&master, &terminal, nullptr, nullptr, nullptr), 0);
    ASSERT_EQ(write(master, answer, std::strlen(answer)),
              static_cast<ssize_t>(std::strlen(answer)));
    registrar_.standard_input = terminal;
    const Ran ran = Admit({});
    EXPECT_EQ(ran.code, code) << answer << ran.err;
    EXPECT_NE(ran.err.find("Admit this organisation?"), std::string::npos) << ran.err;
    EXPECT_EQ(broker_->admitted.size(), code == ExitCode::kOk ? 1u : 0u);
    close(terminal);
    close(master);
  }
}

TEST_F(OrgRequest, SaysEverythingItself) {
  Make();
  EXPECT_EQ(Admit({"--yes", "--sector", "police"}).code, ExitCode::kUsage);
  const Ran other =
      registrar_.Run({"org", "admit", sdk::kPolice.str(), "--request", file(), "--yes"});
  EXPECT_EQ(other.code, ExitCode::kData) << other.err;
  EXPECT_TRUE(broker_->admitted.empty());
  // Without a request the flags must say it.
  EXPECT_EQ(registrar_.Run({"org", "admit", "--name", "X"}).code, ExitCode::kUsage);
}

}  // namespace
}  // namespace schakel::cli

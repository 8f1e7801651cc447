#include "clients/sdk/pseudonym_client.h"

#include <atomic>

#include "tests/unit/crypto/pseudonym_fixture.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

// Of the published test set.
constexpr std::string_view kBsns[] = {"999990019", "999990408"};

class Custodian final : public v1::CustodianService::Service {
 public:
  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::EvaluateResponse* response) override {
    ++evaluations;
    if (!fails.ok()) return fails;
    std::vector<crypto::Point> blinded;
    for (const auto& raw : request->blinded_elements()) {
      blinded.push_back(*crypto::Point::Decode(raw));
    }
    const auto answer = false_share ? crypto::Custody::AnswerWith(x, *false_share, blinded)
                                    : custody->Answer(x, blinded);
    for (const auto& element : answer.elements) response->add_evaluated_elements(element);
    response->set_proof(answer.proof);
    response->set_share(says_share != 0 ? says_share : x);
    if (spoil) spoil(response);
    return grpc::Status::OK;
  }
  grpc::Status GetKeyDocument(grpc::ServerContext*, const v1::GetKeyDocumentRequest*,
                              v1::GetKeyDocumentResponse* response) override {
    ++documents;
    *response = document;
    return grpc::Status::OK;
  }
  grpc::Status GetBudget(grpc::ServerContext*, const v1::GetBudgetRequest*,
                         v1::GetBudgetResponse* response) override {
    if (!fails.ok()) return fails;
    response->set_day_remaining(499);
    return grpc::Status::OK;
  }

  const crypto::Custody* custody = nullptr;
  uint8_t x = 0;
  v1::GetKeyDocumentResponse document;
  grpc::Status fails;
  std::optional<crypto::SecretScalar> false_share;
  uint32_t says_share = 0;
  std::function<void(v1::EvaluateResponse*)> spoil;
  std::atomic<int> evaluations = 0;
  std::atomic<int> documents = 0;
};

class Pseudonyms : public ::testing::Test {
 protected:
  Pseudonyms() {
    for (uint8_t x = 1; x <= 3; ++x) {
      const auto oin = crypto::CustodianOin(x);
      const auto certificate = pki_.Issue(oin.str());
      auto* signature = document_.add_signatures();
      signature->set_custodian(oin.str());
      signature->set_signature(*pki_.Key(oin.str()).Sign(custody_.document.bytes()));
      signature->add_certificate_chain(certificate.der());
      signature->add_certificate_chain(anchors_.certificates()[0].der());
    }
    document_.set_key_document(custody_.document.bytes());
    for (uint8_t x = 1; x <= 3; ++x) {
      auto& custodian = custodians_[x - 1u];
      custodian.custody = &custody_;
      custodian.x = x;
      custodian.document = document_;
      servers_.push_back(std::make_unique<FakeServer>(std::vector<grpc::Service*>{&custodian}));
    }
  }
  // `peers`: the organisations that the servers' certificates name.
  PseudonymClient Client(std::vector<uint8_t> peers = {1, 2, 3},
                         std::optional<Digest> pin = std::nullopt) {
    std::vector<CustodianEndpoint> endpoints;
    for (uint8_t x = 1; x <= 3; ++x) {
      endpoints.push_back({crypto::CustodianOin(x),
                           servers_[x - 1u]->Connect(TestOptions(std::chrono::milliseconds(1500)),
                                                     crypto::CustodianOin(peers[x - 1u]))});
    }
    return PseudonymClient(std::move(endpoints), {{1, pin.value_or(custody_.document.digest())}},
                           "zuid-holland-zuid", &anchors_);
  }
  // What the whole key gives, by the module that the published vectors check.
  std::vector<Digest> Expected() {
    const auto request = *crypto::PseudonymRequest::Begin(kBsns);
    const std::vector<crypto::CustodianAnswer> answers = {
        custody_.Answer(2, request.blinded_elements()),
        custody_.Answer(3, request.blinded_elements())};
    return *request.Combine(custody_.document, answers);
  }
  void ExpectRight(PseudonymClient& client) {
    const auto subjects = client.Compute(kBsns);
    ASSERT_TRUE(subjects.ok()) << subjects.error().message;
    const auto expected = Expected();
    ASSERT_EQ(subjects->size(), 2u);
    for (size_t i = 0; i < 2; ++i) {
      ASSERT_EQ((*subjects)[i].pairs_size(), 1);
      EXPECT_EQ((*subjects)[i].pairs(0).epoch(), 1u);
      EXPECT_EQ((*subjects)[i].pairs(0).value(), expected[i].str());
    }
  }

  crypto::DevPki pki_;
  crypto::TrustAnchors anchors_ = pki_.Anchors();
  crypto::Custody custody_ = crypto::Custody::Of(crypto::SecretScalar::Random(), 2, 3);
  v1::GetKeyDocumentResponse document_;
  Custodian custodians_[3];
  std::vector<std::unique_ptr<FakeServer>> servers_;
};

TEST_F(Pseudonyms, AskNoMoreCustodiansThanAreNeeded) {
  auto client = Client();
  ExpectRight(client);
  EXPECT_EQ(custodians_[0].evaluations + custodians_[1].evaluations, 2);
  EXPECT_EQ(custodians_[2].evaluations, 0);
  ExpectRight(client);
  EXPECT_EQ(custodians_[0].documents, 1) << "the key document is fetched once";
}

TEST_F(Pseudonyms, PassOverACustodianThatIsDownOrHasNoBudgetForUs) {
  custodians_[0].fails = Refused(grpc::StatusCode::RESOURCE_EXHAUSTED, "BUDGET_EXHAUSTED", 3600000);
  auto client = Client();
  ExpectRight(client);
  EXPECT_EQ(custodians_[2].evaluations, 1);
  custodians_[1].fails = Refused(grpc::StatusCode::PERMISSION_DENIED, "NO_AUTHORITY");
  const auto none = client.Compute(kBsns);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find(crypto::CustodianOin(1).str()), std::string::npos);
  EXPECT_NE(none.error().message.find(crypto::CustodianOin(2).str()), std::string::npos);
  EXPECT_EQ(none.error().message.find("9999900"), std::string::npos) << "no BSN in a message";
}

TEST_F(Pseudonyms, NoticeAFalseShareAndNameTheCustodian) {
  custodians_[1].false_share = crypto::SecretScalar::Random();
  auto client = Client();
  ExpectRight(client);
  custodians_[2].fails = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  custodians_[0].fails = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  const auto refused = client.Compute(kBsns);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(
      refused.error().message.find("custodian " + crypto::CustodianOin(2).str() + ": its proof"),
      std::string::npos)
      << refused.error().message;
}

TEST_F(Pseudonyms, NoticeEveryOtherWrongAnswer) {
  custodians_[2].fails = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  const std::vector<std::function<void(v1::EvaluateResponse*)>> wrongs = {
      [](auto* r) { r->mutable_evaluated_elements()->RemoveLast(); },
      [](auto* r) { r->mutable_evaluated_elements()->SwapElements(0, 1); },
      [](auto* r) { r->set_evaluated_elements(0, Bytes(32, '\0')); },
      [](auto* r) { r->set_evaluated_elements(0, Bytes(32, '\xff')); },
      [](auto* r) { r->set_proof(Bytes(64, '\0')); },
      [](auto* r) { r->mutable_proof()->pop_back(); },
      [](auto* r) { r->set_share(2); },
  };
  for (size_t i = 0; i < wrongs.size(); ++i) {
    custodians_[0].spoil = wrongs[i];
    auto client = Client();
    const auto refused = client.Compute(kBsns);
    ASSERT_FALSE(refused.ok()) << i;
    EXPECT_NE(refused.error().message.find("custodian " + crypto::CustodianOin(1).str()),
              std::string::npos)
        << i << refused.error().message;
  }
}

TEST_F(Pseudonyms, RefuseAServerWhoseCertificateNamesAnotherCustodian) {
  auto client = Client({2, 2, 3});
  ExpectRight(client);
  EXPECT_EQ(custodians_[2].evaluations, 1);
}

TEST_F(Pseudonyms, RefuseAKeyDocumentThatIsNotThePinnedOne) {
  auto client = Client({1, 2, 3}, *Digest::From(Bytes(32, 'x')));
  EXPECT_EQ(client.Compute(kBsns).error().reason, "KEY_DOCUMENT_MISMATCH");
  EXPECT_EQ(custodians_[0].evaluations, 0);
}

TEST_F(Pseudonyms, RefuseAKeyDocumentThatACustodianDidNotSign) {
  for (auto& custodian : custodians_) {
    custodian.document.mutable_signatures(2)->set_signature("x");
  }
  auto client = Client();
  const auto refused = client.Compute(kBsns);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "KEY_DOCUMENT_INVALID");
  // One that carries the whole document is enough.
  custodians_[2].document = document_;
  auto other = Client();
  ExpectRight(other);
}

TEST_F(Pseudonyms, RefuseABsnThatFailsTheElfproefBeforeAnythingIsSent) {
  auto client = Client();
  const auto refused = client.ComputeOne("999990018");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "BSN_INVALID");
  EXPECT_EQ(refused.error().message.find("999990018"), std::string::npos);
  EXPECT_EQ(custodians_[0].evaluations, 0);
}

TEST_F(Pseudonyms, TellTheBudgetOfEachCustodian) {
  custodians_[1].fails = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  auto client = Client();
  const auto budgets = client.Budgets();
  ASSERT_EQ(budgets.size(), 3u);
  EXPECT_EQ(budgets[0].budget->day_remaining(), 499u);
  EXPECT_FALSE(budgets[1].budget.ok());
  EXPECT_EQ(budgets[1].oin, crypto::CustodianOin(2));
}

TEST(AgreedKeyDocuments, MustBeTheSameInContextAndBundle) {
  const PinnedKeyDocument a{1, *Digest::From(Bytes(32, 'a'))};
  const PinnedKeyDocument b{2, *Digest::From(Bytes(32, 'b'))};
  const PinnedKeyDocument c{1, *Digest::From(Bytes(32, 'c'))};
  using Pins = std::vector<PinnedKeyDocument>;
  EXPECT_EQ(*AgreedKeyDocuments(Pins{b, a}, Pins{a, b}), (Pins{a, b}));
  EXPECT_EQ(*AgreedKeyDocuments(Pins{}, Pins{a}), Pins{a});
  EXPECT_EQ(*AgreedKeyDocuments(Pins{a}, Pins{}), Pins{a});
  EXPECT_EQ(AgreedKeyDocuments(Pins{c}, Pins{a}).error().reason, "KEY_DOCUMENT_MISMATCH");
  EXPECT_EQ(AgreedKeyDocuments(Pins{a}, Pins{a, b}).error().reason, "KEY_DOCUMENT_MISMATCH");
  EXPECT_EQ(AgreedKeyDocuments(Pins{}, Pins{}).error().reason, "KEY_DOCUMENT_MISSING");
}

TEST(SubjectRefs, AreTheSameOnlyWhenEveryPairIs) {
  EXPECT_TRUE(SameSubject(Linked("a"), Linked("a")));
  EXPECT_FALSE(SameSubject(Linked("a"), Linked("b")));
  EXPECT_FALSE(SameSubject({}, {}));
  auto two = Linked("a");
  *two.add_pairs() = Linked("b").pairs(0);
  EXPECT_FALSE(SameSubject(Linked("a"), two));
  EXPECT_TRUE(IsUnlinked(UnlinkedSubject()));
  EXPECT_FALSE(IsUnlinked(Linked("a")));
  EXPECT_FALSE(SameSubject(UnlinkedSubject(), UnlinkedSubject()));
}

}  // namespace
}  // namespace schakel::sdk

// A landlord and a debt-relief office with the command line, towards a made-up broker.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "clients/sdk/inbox_client.h"
#include "tests/unit/cli/fake_broker.h"
#include "tests/unit/cli/run.h"

namespace schakel::cli {

class BrokerVerbs : public ::testing::Test {
 protected:
  BrokerVerbs() {
    region_.Admit(sdk::kLandlord, "housing", {"dordrecht"}, false);
    region_.Admit(sdk::kDebtRelief, "social-services", {"dordrecht"}, true);
    region_.Admit(sdk::kPolice, "police", {"dordrecht"}, true);
    broker_ = std::make_unique<FakeBroker>(region_);
    Become(landlord_, sdk::kLandlord);
    Become(relief_, sdk::kDebtRelief);
    crypto::WriteText(landlord_.home.path() / "arrears.json",
                      R"({"months_in_arrears":3,"amount_cents":210000})");
    crypto::WriteText(landlord_.home.path() / "person.json",
                      R"({"family_name":"Een","birth_date":"1980-01-01"})");
  }

  void Become(User& user, const OrganisationId& oin) {
    auto& variables = user.variables;
    variables["SCHAKEL_BROKER"] = broker_->address();
    variables["SCHAKEL_CA"] = (region_.pki.path() / "ca.pem").string();
    variables["SCHAKEL_CERTIFICATE"] = (region_.pki.path() / (oin.str() + ".chain.pem")).string();
    variables["SCHAKEL_KEY"] = (region_.pki.path() / (oin.str() + ".key")).string();
    variables["SCHAKEL_KEY_STORE"] = region_.KeysOf(oin).folder().string();
    variables["SCHAKEL_ACTOR"] = "user-1";
    variables["SCHAKEL_ACTOR_ROLE"] = "professional";
  }

  std::vector<std::string> Send(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {
        "signal",
        "send",
        "--type",
        "rent-arrears",
        "--purpose",
        "prevent-eviction",
        "--ground",
        "wgs-debt",
        "--to-function",
        "debt-relief@Dordrecht",
        "--subject-unlinked",
        "--section",
        "finances=@" + (landlord_.home.path() / "arrears.json").string(),
        "--identity:1",
        "@" + (landlord_.home.path() / "person.json").string()};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }

  // Hands the last published signal to debt relief as a delivery.
  void Deliver() {
    const std::lock_guard lock(broker_->mutex);
    v1::Delivery delivery;
    delivery.set_delivery_id(sdk::NewRequestId().str());
    delivery.set_attempt(1);
    delivery.mutable_lease_until()->set_seconds(1'800'000'000);
    *delivery.mutable_signal() = sdk::DeliverTo(sdk::kDebtRelief, broker_->published.back());
    broker_->waiting.push_back(delivery);
  }

  sdk::Region region_;
  User landlord_;
  User relief_;
  std::unique_ptr<FakeBroker> broker_;
};

}  // namespace schakel::cli

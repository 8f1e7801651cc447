// schakel_sim --steps N --seed S: seeded worlds until N commands were compared with the model. On a
// difference it prints seed and step, and exits with 1.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "tests/sim/race.h"
#include "tests/sim/world.h"

int main(int argc, char** argv) {
  size_t steps = 200'000;
  size_t races = 0;
  size_t world_steps = 5'000;
  uint64_t seed = 1;
  CLI::App app("Simulates the machine against a model");
  app.add_option("--steps", steps, "commands in all");
  app.add_option("--seed", seed, "of the first world; each world takes the next");
  app.add_option("--world-steps", world_steps, "commands of one world")->check(CLI::PositiveNumber);
  app.add_option("--races", races, "interleavings of withdrawal and deliveries");
  CLI11_PARSE(app, argc, argv);

  const auto begin = std::chrono::steady_clock::now();
  schakel::sim::WorldStats all;
  for (size_t done = 0; done < steps; done += world_steps, ++seed) {
    schakel::sim::World world(seed);
    const std::string wrong = world.Run(std::min(world_steps, steps - done));
    if (!wrong.empty()) {
      std::cerr << "seed " << seed << ", " << wrong << "\n";
      return 1;
    }
    all.steps += world.stats().steps;
    all.batches += world.stats().batches;
    all.restarts += world.stats().restarts;
    all.failed_writes += world.stats().failed_writes;
    all.handed_over += world.stats().handed_over;
    all.withheld += world.stats().withheld;
    all.refused += world.stats().refused;
    all.reports += world.stats().reports;
    all.reminders += world.stats().reminders;
    all.records += world.stats().records;
  }
  if (races > 0) {
    const auto result = schakel::sim::RunRaces(races, seed);
    if (!result.wrong.empty()) {
      std::cerr << result.wrong << "\n";
      return 1;
    }
    std::cout << result.races << " races, " << result.cancelled << " deliveries cancelled, "
              << result.written << " written\n";
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << all.steps << " steps in " << all.batches << " batches, " << all.restarts
            << " starts, " << all.failed_writes << " failed writes, " << all.handed_over
            << " items handed over, " << all.withheld << " withheld, " << all.refused
            << " refused, " << all.reminders << " reminders, " << all.reports << " reports, "
            << all.records << " records; no difference in " << took.count() << " s\n";
  return 0;
}

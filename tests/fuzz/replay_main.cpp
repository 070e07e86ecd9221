// Runs a fuzz target without libFuzzer: every seed, then a bounded number of mutations of the seeds. What it does is
// the same in every run, so that ctest can have it; finding new inputs is the work of the preset `fuzz`.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using bytes = std::vector<std::uint8_t>;

constexpr std::size_t mutations_max = 4'000;
constexpr std::size_t input_bytes_max = 64 * 1024;

bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// All seeds in the order of their names: the directory's own order differs between machines.
std::vector<bytes> read_seeds(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        paths.push_back(entry.path());
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<bytes> seeds;
  for (const auto& path : paths) {
    seeds.push_back(read_file(path));
  }
  return seeds;
}

class mutator {
public:
  explicit mutator(const std::vector<bytes>& seeds) : seeds_(seeds) {}

  /// One to eight small changes to one of the seeds.
  bytes next() {
    bytes input = seeds_[below(seeds_.size())];
    for (std::size_t changes = 1 + below(8); changes > 0; --changes) {
      change(input);
    }
    if (input.size() > input_bytes_max) {
      input.resize(input_bytes_max);
    }
    return input;
  }

private:
  /// Not a std distribution: those give other numbers with other standard libraries.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  std::uint8_t byte() {
    constexpr std::uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    return below(2) == 0 ? edges[below(std::size(edges))] : static_cast<std::uint8_t>(below(256));
  }

  void change(bytes& input) {
    const auto at = static_cast<std::ptrdiff_t>(below(input.size() + 1));
    const auto here = input.begin() + at;
    switch (below(6)) {
      case 0:
        input.insert(here, byte());
        break;
      case 1:
        input.erase(here, here + static_cast<std::ptrdiff_t>(below(static_cast<std::size_t>(input.end() - here) + 1)));
        break;
      case 2: {
        const auto& other = seeds_[below(seeds_.size())];
        const auto from = other.begin() + static_cast<std::ptrdiff_t>(below(other.size() + 1));
        input.insert(here, from, other.end());
        break;
      }
      case 3:
        if (here != input.end()) {
          *here = static_cast<std::uint8_t>(*here ^ (1U << below(8)));
        }
        break;
      case 4:
        input.resize(static_cast<std::size_t>(at));
        break;
      default:
        if (here != input.end()) {
          *here = byte();
        }
        break;
    }
  }

  const std::vector<bytes>& seeds_;
  std::mt19937_64 random_{20240607};
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: %s FILE | SEED_FOLDER [MUTATIONS]\n", argv[0]);
    return 2;
  }
  const std::filesystem::path what = argv[1];
  if (std::filesystem::is_regular_file(what)) {
    const auto input = read_file(what);
    LLVMFuzzerTestOneInput(input.data(), input.size());
    return 0;
  }
  auto seeds = read_seeds(what);
  if (seeds.empty()) {
    std::fprintf(stderr, "%s: no seeds\n", what.c_str());
    return 1;
  }
  std::size_t mutations = mutations_max;
  if (argc == 3) {
    const std::string_view text = argv[2];
    if (std::from_chars(text.data(), text.data() + text.size(), mutations).ec != std::errc{}) {
      std::fprintf(stderr, "%s: not a number\n", argv[2]);
      return 2;
    }
  }
  for (const auto& seed : seeds) {
    LLVMFuzzerTestOneInput(seed.data(), seed.size());
  }
  mutator mutate(seeds);
  for (std::size_t count = 0; count < mutations; ++count) {
    const auto input = mutate.next();
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu seeds, %zu mutations\n", seeds.size(), mutations);
  return 0;
}

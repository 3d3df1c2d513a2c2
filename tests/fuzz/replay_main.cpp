// Stands in for libFuzzer in the gate: feeds a fuzz target every seed of its corpus folder, every prefix of
// each (evenly spread where there are too many), and copies with single bits flipped. Seeds are taken in the
// order of their names and damage from a fixed series, so that a failure comes again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// Bounds the time of one target to seconds: each seed costs at most so many runs of each sort.
constexpr std::size_t kPrefixesMax = 512;
constexpr std::size_t kFlipsMax = 512;
constexpr std::size_t kSeedBytesMax = 1024 * 1024;  // libFuzzer's own default for what it makes

// A copy of exactly this length, so that a sanitizer sees the first byte read behind its end.
void feed(std::span<const std::uint8_t> input) {
    const std::vector<std::uint8_t> exact(input.begin(), input.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void feed_prefixes(std::span<const std::uint8_t> seed) {
    const std::size_t step = std::max<std::size_t>(1, seed.size() / kPrefixesMax);
    for (std::size_t length = 0; length < seed.size(); length += step) feed(seed.first(length));
}

void feed_flips(std::vector<std::uint8_t> seed) {
    if (seed.empty()) return;
    const std::size_t bits = seed.size() * 8;
    const std::size_t step = std::max<std::size_t>(1, bits / kFlipsMax);
    for (std::size_t bit = 0; bit < bits; bit += step) {
        // An even step would always hit the same bit of a byte.
        const std::size_t place = std::min(bits - 1, bit + (bit / step) % 8);
        const auto mask = static_cast<std::uint8_t>(1u << (place % 8));
        seed[place / 8] ^= mask;
        feed(seed);
        seed[place / 8] ^= mask;
    }
}

std::vector<std::filesystem::path> seeds_of(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> seeds;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        if (entry.is_regular_file()) seeds.push_back(entry.path());
    }
    std::sort(seeds.begin(), seeds.end());
    return seeds;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argc > 0 ? argv[0] : "replay");
        return 2;
    }
    const std::vector<std::filesystem::path> seeds = seeds_of(argv[1]);
    if (seeds.empty()) {
        std::fprintf(stderr, "no seeds in %s\n", argv[1]);
        return 1;
    }
    for (const std::filesystem::path& path : seeds) {
        std::ifstream in(path, std::ios::binary);
        std::vector<std::uint8_t> seed{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        if (seed.size() > kSeedBytesMax) {
            std::fprintf(stderr, "%s is too large for a seed\n", path.c_str());
            return 1;
        }
        std::printf("%s\n", path.filename().c_str());
        std::fflush(stdout);  // names the seed if the target ends the program
        feed(seed);
        feed_prefixes(seed);
        feed_flips(std::move(seed));
    }
    std::printf("%zu seeds\n", seeds.size());
    return 0;
}

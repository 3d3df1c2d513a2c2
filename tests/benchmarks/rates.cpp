// What this machine can do at best on one core, step by step, and the bound that follows for taking bytes in:
// their sum is the least processor time for a GB. Everything lies in the page cache. Use: rates [FOLDER]
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/check.hpp"
#include "engine/base/hash_many.hpp"
#include "engine/store/chunker.hpp"
#include "engine/store/record.hpp"

namespace {

using namespace satchel;

constexpr std::size_t kBytes = 256 * 1024 * 1024;
constexpr std::size_t kStep = 8 * 1024 * 1024;
constexpr std::size_t kChunk = 256 * 1024;
constexpr int kTries = 3;

// Seconds a GB, the best of some tries.
double seconds_of(const char* name, const std::function<void()>& work) {
    double best = 1e9;
    for (int i = 0; i < kTries; ++i) {
        const std::clock_t begun = std::clock();  // of the processor: others may have it in between
        work();
        best = std::min(best, static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC);
    }
    const double per_gb = best * 1e9 / static_cast<double>(kBytes);
    std::printf("%-34s %8.0f MB/s %8.3f s of CPU a GB\n", name, 1000 / per_gb, per_gb);
    return per_gb;
}

ByteBuffer noise() {
    ByteBuffer bytes(kBytes);
    std::uint64_t state = 1;
    for (std::size_t at = 0; at < bytes.size(); at += sizeof state) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        std::memcpy(bytes.data() + at, &state, sizeof state);
    }
    return bytes;
}

ByteBuffer words() {
    ByteBuffer bytes;
    bytes.reserve(kBytes + 16);
    std::uint64_t state = 1;
    while (bytes.size() < kBytes) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const std::uint64_t word = (state >> 40) * (state >> 52) % 5000;  // some words are common
        for (std::uint64_t rest = word + 26; rest > 0; rest /= 26)
            bytes.push_back(static_cast<std::uint8_t>('a' + rest * 7 % 26));
        bytes.push_back(' ');
    }
    bytes.resize(kBytes);
    return bytes;
}

std::vector<ByteView> chunks_of(ByteView bytes, std::size_t size) {
    std::vector<ByteView> chunks;
    for (; bytes.size() >= size; bytes = bytes.subspan(size)) chunks.push_back(bytes.first(size));
    return chunks;
}

void cut(ByteView bytes, store::ChunkerCode code) {
    while (!bytes.empty()) bytes = bytes.subspan(first_cut(store::ChunkClass::kMedia, bytes, true, code));
}

void prepare(const std::vector<ByteView>& chunks) {
    for (const ByteView chunk : chunks)
        static_cast<void>(prepare_record(store::RecordType::kChunk, chunk, {}));
}

}  // namespace

int main(int count, char** arguments) {
    const std::string path = std::string(count > 1 ? arguments[1] : "/tmp") + "/satchel-rates";
    const ByteBuffer films = noise();
    const ByteBuffer texts = words();
    ByteBuffer step(kStep);
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    SATCHEL_CHECK(file >= 0);
    unlink(path.c_str());
    const double write = seconds_of("write", [&] {
        SATCHEL_CHECK(ftruncate(file, 0) == 0);
        for (std::size_t at = 0; at < kBytes; at += kChunk)
            SATCHEL_CHECK(pwrite(file, films.data() + at, kChunk, static_cast<off_t>(at)) == kChunk);
    });
    const double read = seconds_of("read", [&] {
        for (std::size_t at = 0; at < kBytes; at += kStep)
            SATCHEL_CHECK(pread(file, step.data(), kStep, static_cast<off_t>(at)) == kStep);
    });
    const double chunk = seconds_of("chunk", [&] { cut(films, store::ChunkerCode::kFastest); });
    seconds_of("chunk, without vectors", [&] { cut(films, store::ChunkerCode::kPlain); });
    const std::vector<ByteView> film_chunks = chunks_of(films, kChunk);
    std::vector<Digest> digests(film_chunks.size());
    const double hash = seconds_of("hash, four at once", [&] { hash_many(film_chunks, digests); });
    seconds_of("hash, one at a time", [&] {
        for (std::size_t i = 0; i < film_chunks.size(); ++i) digests[i] = hash_of(film_chunks[i]);
    });
    const double film = seconds_of("record of media", [&] { prepare(film_chunks); });
    const double text = seconds_of("record of text", [&] { prepare(chunks_of(texts, 64 * 1024)); });
    std::printf("bound for media: %.3f s of CPU a GB; for text: %.3f\n", read + chunk + hash + film + write,
                read + chunk + hash + text + write / 2);
}

// BLAKE2b-256 against published digests and against coreutils.
#include "engine/base/hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>

#include "engine/base/encoding.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel {
namespace {

std::string output_of(const std::string& command) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    SATCHEL_CHECK(pipe != nullptr);
    std::string output;
    std::array<char, 4096> block;
    while (const std::size_t size = std::fread(block.data(), 1, block.size(), pipe.get()))
        output.append(block.data(), size);
    return output;
}

TEST(Hash, IsBlake2b256) {
    // As hashlib.blake2b(digest_size=32) of Python's standard library prints them.
    EXPECT_EQ(to_hex(hash_of({})), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    EXPECT_EQ(to_hex(hash_of(bytes_of("abc"))),
              "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    EXPECT_EQ(to_hex(hash_of(bytes_of("The quick brown fox jumps over the lazy dog"))),
              "01718cec35cd3d796dd00020e0bfecb473ad23457d063b75eff29c0ffa2e58a9");
}

TEST(Hash, AgreesWithCoreutils) {
    const tests::TempFolder folder;
    // Around the block of 128 bytes, and well beyond it.
    for (const std::size_t size : {0u, 1u, 127u, 128u, 129u, 256u, 1000u, 100'000u}) {
        std::string content(size, '\0');
        for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 + size);
        const std::string path = folder / "file";
        std::ofstream(path, std::ios::binary) << content;
        const std::string printed = output_of("b2sum -l 256 " + path);
        ASSERT_GE(printed.size(), 64u) << "b2sum of coreutils must be installed";
        EXPECT_EQ(printed.substr(0, 64), to_hex(hash_of(bytes_of(content)))) << size;
    }
}

RC_GTEST_PROP(Hash, PiecesHashAsTheWhole, (const std::vector<std::string>& pieces)) {
    Hasher hasher;
    std::string whole;
    for (const std::string& piece : pieces) {
        hasher.update(piece);
        whole += piece;
    }
    RC_ASSERT(hasher.finish() == hash_of(bytes_of(whole)));
}

TEST(Hash, ACopyForksTheComputation) {
    Hasher first;
    first.update("same ");
    Hasher second = first;
    EXPECT_EQ(first.update("start").finish(), hash_of(bytes_of("same start")));
    EXPECT_EQ(second.update("beginning").finish(), hash_of(bytes_of("same beginning")));
}

TEST(Hash, IdsCompareByTheirBytes) {
    using Id = HashId<struct AnyTag>;
    const Id low = *id_from_hex<Id>(std::string(62, '0') + "01");
    const Id high = *id_from_hex<Id>("01" + std::string(62, '0'));
    EXPECT_LT(low, high);
    EXPECT_TRUE(Id{}.is_zero());
    EXPECT_FALSE(low.is_zero());
    EXPECT_EQ(to_hex(high), "01" + std::string(62, '0'));
}

}  // namespace
}  // namespace satchel

// Grants: any text is refused or is, but for white space, the one that the seed `whole` holds.
#include <cstdlib>

#include "engine/base/encoding.hpp"
#include "engine/trust/enrolment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const std::string_view text = text_of({data, size});
    std::array<std::uint8_t, 32> seed{};
    seed.fill(32);
    const trust::SealingKey box = trust::SealingKey::from_seed(seed);
    // The fingerprint of schemas/vectors/enrolment/lijia.request, which the seed answers.
    const Digest request =
        digest_from_hex("93fb80ae5f1df351b9de9a98146e5714e1fa50928d070ceaf01ac35e2433951d").value();
    const Result<trust::VerifiedGrant> verified = trust::verify_grant(text, request, box, {0});
    if (verified.has_value() &&
        trust::words_of(trust::fingerprint_of_text(text)) != "bafit-gigal-zidoz-nomij-muzin")
        std::abort();
    return 0;
}

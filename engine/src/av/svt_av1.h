/// SVT-AV1's interface without the macro that other libraries' names would stumble over.
#pragma once

#include <EbSvtAv1Enc.h>
#include <EbSvtAv1ErrorCodes.h>

#undef DEFAULT

// What the C++ of a CUDA kernel finds on a device, for the compiler of a host.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <math.h>

#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __constant__ static
#define __launch_bounds__(...)

using std::isfinite;
using std::isinf;
using std::isnan;
using std::signbit;

// -- half precision: arithmetic in float, as in CuPy's class of that name

class float16 {
    uint16_t bits_;

    static uint16_t rounded(float value) {
        uint32_t x;
        std::memcpy(&x, &value, 4);
        uint32_t sign = (x >> 16) & 0x8000u, rest = x & 0x7fffffffu;
        if (rest >= 0x7f800000u) return sign | (rest > 0x7f800000u ? 0x7e00u : 0x7c00u);
        if (rest >= 0x477ff000u) return sign | 0x7c00u;  // rounds to infinity
        if (rest < 0x33000001u) return sign;             // rounds to zero
        int exponent = int(rest >> 23) - 127;
        uint32_t mantissa = (rest & 0x7fffffu) | 0x800000u;
        int shift = exponent < -14 ? 13 + (-14 - exponent) : 13;
        uint32_t result = mantissa >> shift, lost = mantissa & ((1u << shift) - 1);
        uint32_t half = 1u << (shift - 1);
        if (lost > half || (lost == half && (result & 1))) ++result;
        if (exponent >= -14) result += uint32_t(exponent + 14) << 10;
        return sign | result;
    }

  public:
    float16() = default;
    float16(float value) : bits_(rounded(value)) {}
    operator float() const {
        uint32_t exponent = (bits_ >> 10) & 31, mantissa = bits_ & 1023;
        float value = exponent == 31 ? (mantissa ? NAN : INFINITY)
                      : exponent     ? std::ldexp(float(mantissa | 1024), int(exponent) - 25)
                                     : std::ldexp(float(mantissa), -24);
        return bits_ & 0x8000 ? -value : value;
    }
    float16 &operator+=(float other) { return *this = float16(float(*this) + other); }
    float16 &operator-=(float other) { return *this = float16(float(*this) - other); }
    float16 &operator*=(float other) { return *this = float16(float(*this) * other); }
    float16 &operator/=(float other) { return *this = float16(float(*this) / other); }
};

inline bool isnan(float16 x) { return std::isnan(float(x)); }
inline bool isinf(float16 x) { return std::isinf(float(x)); }
inline bool isfinite(float16 x) { return std::isfinite(float(x)); }

// -- functions that CUDA has beyond those of <math.h>

template <typename T, typename U> auto min(T a, U b) -> decltype(a + b) { return b < a ? b : a; }
template <typename T, typename U> auto max(T a, U b) -> decltype(a + b) { return a < b ? b : a; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rsqrt(float x) { return 1.0f / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
template <typename T> T __ldg(const T *address) { return *address; }
inline float __int_as_float(int x) { float y; std::memcpy(&y, &x, 4); return y; }
inline int __float_as_int(float x) { int y; std::memcpy(&y, &x, 4); return y; }

template <typename T, typename U> T atomicAdd(T *address, U value) {
    T before = *address;
    *address = T(before + T(value));
    return before;
}
template <typename T, typename U> T atomicMax(T *address, U value) {
    T before = *address;
    if (before < T(value)) *address = T(value);
    return before;
}
template <typename T, typename U> T atomicMin(T *address, U value) {
    T before = *address;
    if (T(value) < before) *address = T(value);
    return before;
}
template <typename T> T atomicExch(T *address, T value) {
    T before = *address;
    *address = value;
    return before;
}
template <typename T> T atomicCAS(T *address, T expected, T value) {
    T before = *address;
    if (before == expected) *address = value;
    return before;
}

// -- arrays, as CuPy hands them to a kernel

static long long out_of_bounds = 0;  // accesses that would have destroyed other memory
extern "C" long long wrong_accesses() { return out_of_bounds; }

struct Argument {  // as in `host.py`
    void *data;
    long long size;
    long long ndim;
    const long long *shape;
    const long long *strides;  // in bytes
    long long contiguous;
};

template <typename T> class CArray {
    Argument argument_;
    T dummy_ = T();

  public:
    explicit CArray(const Argument &argument) : argument_(argument) {}
    ptrdiff_t size() const { return argument_.size; }
    const long long *shape() const { return argument_.shape; }
    const long long *strides() const { return argument_.strides; }

    T &at(ptrdiff_t i) const {
        char *data = static_cast<char *>(argument_.data);
        if (argument_.contiguous) return *reinterpret_cast<T *>(data + i * ptrdiff_t(sizeof(T)));
        for (long long axis = argument_.ndim; axis--;) {
            data += (i % argument_.shape[axis]) * argument_.strides[axis];
            i /= argument_.shape[axis];
        }
        return *reinterpret_cast<T *>(data);
    }
    T &operator[](ptrdiff_t i) {
        if (i < 0 || i >= argument_.size) {
            ++out_of_bounds;
            return dummy_;
        }
        return at(i);
    }
    const T &operator[](ptrdiff_t i) const { return const_cast<CArray &>(*this)[i]; }
};

struct CIndexer {
    ptrdiff_t size_;
    ptrdiff_t size() const { return size_; }
};

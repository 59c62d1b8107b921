// The kernels of compiled programs, the loop that runs a program, and its threads.
//
// A program is an array of instructions. Each is a loop nest over `shape` whose operands have a
// stride for every dimension; what it reads and writes was checked when the program was made. A
// stage is a set of tasks that do not depend on each other: threads take them one by one, and all
// wait for the end of a stage. A task runs some instructions, one after the other, on a part of the
// dimension in which they are split, so the elements that they share stay in a cache.
//
// Every element is computed in one order of additions, whatever the part, the tile, the width of
// the vectors or the number of threads. Where a product is added in one rounding, this says so
// (`fused`); compilers choose otherwise for each processor and each place. So results have the same
// bits for any of these, and for any compiler, as long as the processor has that instruction.

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__FMA__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// LANES: numbers in a vector. A product is computed in tiles of up to TILE_ROWS rows and STRIP
// columns, in vectors of TILE_LANES: as many as registers hold.
#if defined(__AVX512F__)
#define LANES 16
// Zen 4 computes 512 bits in two halves. GCC before 12.3 takes it for a Zen 3.
#if defined(__AVX512VL__) && (defined(__znver3__) || defined(__znver4__))
#define TILE_LANES 8
#define TILE_ROWS 6
#else
#define TILE_LANES 16
#define TILE_ROWS 12
#endif
#elif defined(__AVX__)
#define LANES 8
#define TILE_LANES 8
#define TILE_ROWS 6
#else
#define LANES 4
#define TILE_LANES 4
#define TILE_ROWS 6
#endif
#define STRIP (2 * LANES)     // columns of a product that are computed together
#define BLOCK 256             // elements of an elementwise operation at a time
#define SUMS 16               // partial ones of a row or a dot product, whatever LANES is
#define PARTS (SUMS / LANES)  // vectors that hold them

#if defined(__x86_64__)
#define pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define pause() __asm__ __volatile__("yield")
#else
#define pause() ((void)0)
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose_vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));  // in memory
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef float vec8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int64_t i64;

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p) { return *(const loose_vec *)p; }
INLINE void store(float *p, vec v) { *(loose_vec *)p = v; }
INLINE vec all(float x) { return x - (vec){0}; }
INLINE vec fused(vec x, vec y, vec z) {  // x y + z, rounded once where the processor can
#if LANES == 16
    return (vec)_mm512_fmadd_ps((__m512)x, (__m512)y, (__m512)z);
#elif LANES == 8 && defined(__FMA__)
    return (vec)_mm256_fmadd_ps((__m256)x, (__m256)y, (__m256)z);
#elif defined(__aarch64__)
    return (vec)vfmaq_f32((float32x4_t)z, (float32x4_t)x, (float32x4_t)y);
#else
    return x * y + z;
#endif
}
INLINE vec choose(ivec condition, vec yes, vec no) {
    return (vec)(((ivec)yes & condition) | ((ivec)no & ~condition));
}
#define SHUFFLE __builtin_shufflevector
#define UNROLL _Pragma("GCC unroll 16")
#define EACH_PART(q) UNROLL for (int q = 0; q < PARTS; q++)
INLINE float total_of(const vec *parts) {
#if LANES == 16
    vec8 w = SHUFFLE(parts[0], parts[0], 0, 1, 2, 3, 4, 5, 6, 7) +
             SHUFFLE(parts[0], parts[0], 8, 9, 10, 11, 12, 13, 14, 15);
    return (w[0] + w[4]) + (w[1] + w[5]) + ((w[2] + w[6]) + (w[3] + w[7]));
#elif LANES == 8
    vec w = parts[0] + parts[1];
    return (w[0] + w[4]) + (w[1] + w[5]) + ((w[2] + w[6]) + (w[3] + w[7]));
#else
    vec w = (parts[0] + parts[2]) + (parts[1] + parts[3]);
    return w[0] + w[1] + (w[2] + w[3]);
#endif
}
INLINE i64 least(i64 a, i64 b) { return a < b ? a : b; }
// LANES elements; 0 for those from n on. A tail is treated as the vectors before it: compilers
// round what is left over otherwise, by the width of their vectors.
INLINE vec some(const float *p, i64 stride, i64 n) {
    if (stride == 1 && n >= LANES) return load(p);
    vec v = {0};
    if (stride == 0 && n >= LANES) return all(p[0]);
    for (i64 i = 0; i < least(LANES, n); i++) v[i] = p[i * stride];
    return v;
}
INLINE void store_some(float *p, vec v, i64 n) {
    if (n >= LANES) store(p, v);
    else
        for (i64 i = 0; i < n; i++) p[i] = v[i];
}

// -- a program ----------------------------------------------------------------------------------

enum { FLOAT, BOOL, INT, BYTE };  // types of elements: float, uint8_t, int64_t, uint8_t

typedef struct {
    int32_t slot;  // which array
    int32_t type;
    i64 offset;     // of the first element; in elements, as the strides
    i64 stride[4];  // 0 where the operand is repeated, or has no such dimension
} Operand;

typedef struct {
    int32_t op;
    int32_t code;   // which of the operations of a kind
    int32_t split;  // the dimension that is cut into parts
    int32_t inputs;
    i64 unit;  // elements of that dimension in one unit of a part
    i64 shape[4];
    Operand operand[9];
} Instruction;

typedef struct {
    int32_t first, count;  // instructions
    i64 extent;            // units of the dimension in which they are split
    i64 parts;
} Group;

typedef struct {
    int32_t first, count;  // groups
    i64 tasks;             // parts of all groups
} Stage;

typedef struct {
    const Instruction *instructions;
    const Group *groups;
    const Stage *stages;
    char **slots;    // the memory of each array
    char **scratch;  // of each thread
    atomic_int stop;  // bits of what an instruction has found that must be looked at
} Program;

enum { GOES_ON, NOT_FINITE, OUT_OF_BOUNDS };

INLINE i64 size_of(int type) { return type == FLOAT ? 4 : type == INT ? 8 : 1; }
INLINE char *at(const Program *p, const Operand *o) {
    return p->slots[o->slot] + o->offset * size_of(o->type);
}
INLINE float *floats(const Program *p, const Operand *o) {
    return (float *)p->slots[o->slot] + o->offset;
}

// -- mathematical functions ---------------------------------------------------------------------

// exp: x = n log 2 + r, a polynomial for e^r (error below 1 unit in the last place), times 2^n.
INLINE vec power_of_2(ivec n) { return (vec)((n + 127) << 23); }
INLINE vec exponential(vec x) {
    x = choose(x > 89.f, all(89.f), x);
    x = choose(x < -104.f, all(-104.f), x);
    const vec magic = all(12582912.f);  // 1.5 * 2^23: adding it rounds to a whole number
    vec shifted = fused(x, all(1.44269504f), magic), n = shifted - magic;
    vec r = fused(n, all(-1.42860677e-6f), fused(n, all(-0.693145752f), x));
    vec y = all(1.98756915e-4f);
    y = fused(y, r, all(1.39819995e-3f));
    y = fused(y, r, all(8.33345190e-3f));
    y = fused(y, r, all(4.16657960e-2f));
    y = fused(y, r, all(1.66666654e-1f));
    y = fused(y, r, all(5.00000012e-1f));
    y = fused(y, r * r, r) + 1.f;
    ivec whole = (ivec)shifted - (ivec)magic, half = whole >> 1;
    return y * power_of_2(half) * power_of_2(whole - half);
}
// log: x = 2^n m with m near 1, a polynomial for log m.
INLINE vec logarithm(vec x) {
    ivec is_tiny = x < 1.17549435e-38f;
    vec scaled = choose(is_tiny, x * 8388608.f, x);
    ivec bits = (ivec)scaled;
    ivec n = ((bits >> 23) & 255) - 126;
    vec m = (vec)((bits & 0x007fffff) | 0x3f000000);  // in [1/2, 1)
    ivec is_low = m < 0.707106781f;
    vec e = __builtin_convertvector(n + is_low, vec) - choose(is_tiny, all(23.f), all(0.f));
    m = choose(is_low, m + m, m) - 1.f;
    vec square = m * m, y = all(7.0376836292e-2f);
    y = fused(y, m, all(-1.1514610310e-1f));
    y = fused(y, m, all(1.1676998740e-1f));
    y = fused(y, m, all(-1.2420140846e-1f));
    y = fused(y, m, all(1.4249322787e-1f));
    y = fused(y, m, all(-1.6668057665e-1f));
    y = fused(y, m, all(2.0000714765e-1f));
    y = fused(y, m, all(-2.4999993993e-1f));
    y = fused(y, m, all(3.3333331174e-1f));
    y = fused(square, all(-0.5f), fused(e, all(-2.12194440e-4f), y * m * square));
    y = fused(e, all(0.693359375f), m + y);
    y = choose(x == 0.f, all(-INFINITY), y);
    y = choose((x < 0.f) | (x != x), all(NAN), y);
    return choose(x == INFINITY, x, y);
}
INLINE vec logarithm_of_1_and(vec x) {
    vec sum = x + 1.f, rest = sum - 1.f;
    vec y = logarithm(sum) * (x / choose(rest == 0.f, all(1.f), rest));
    y = choose(sum == INFINITY, sum, y);
    return choose(rest == 0.f, x, y);
}
INLINE vec magnitude(vec x) { return (vec)((ivec)x & 0x7fffffff); }
INLINE vec hyperbolic_tangent(vec x) {
    vec size = magnitude(x), square = x * x;
    vec y = all(-5.70498872745e-3f);
    y = fused(y, square, all(2.06390887954e-2f));
    y = fused(y, square, all(-5.37397155531e-2f));
    y = fused(y, square, all(1.33314422036e-1f));
    y = fused(y, square, all(-3.33332819422e-1f));
    y = fused(y * square, x, x);
    vec large = 1.f - 2.f / (exponential(size + size) + 1.f);
    y = choose(size < 0.625f, y, choose(x == x, large, x));
    return (vec)((ivec)y | ((ivec)x & (int32_t)0x80000000));  // also of -0
}
INLINE vec square_root(vec x) {
    for (int i = 0; i < LANES; i++) x[i] = sqrtf(x[i]);
    return x;
}
// As in NumPy, NaN stays NaN.
INLINE vec larger(vec x, vec y) { return choose((x > y) | (x != x), x, y); }
INLINE vec smaller(vec x, vec y) { return choose((x < y) | (x != x), x, y); }
INLINE vec truth(ivec condition) { return (vec)(condition & (ivec)all(1.f)); }

// -- elementwise operations ---------------------------------------------------------------------

enum {
    COPY, NEGATIVE, ABSOLUTE, EXP, LOG, LOG1P, TANH, SQRT, SQUARE, SIGN,  // of one operand
    ADD, SUBTRACT, MULTIPLY, DIVIDE, MAXIMUM, MINIMUM,                    // of two
    LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL,
    WHERE,   // the second where the first is not 0, else the third
    SCALED,  // the product of three
    MASK,    // the first where the second is not 0, else 0
};

#define EACH(expression)                            \
    for (i64 i = 0; i < n; i += LANES) {            \
        vec x = load(in[0] + i);                    \
        (void)x;                                    \
        store(out + i, expression);                 \
    }                                               \
    break
#define Y load(in[1] + i)

// `n` is a multiple of LANES; `out` may be one of `in`.
static void apply(int code, i64 n, const float *const *in, float *out) {
    switch (code) {
        case COPY: EACH(x);
        case NEGATIVE: EACH(-x);
        case ABSOLUTE: EACH(magnitude(x));
        case EXP: EACH(exponential(x));
        case LOG: EACH(logarithm(x));
        case LOG1P: EACH(logarithm_of_1_and(x));
        case TANH: EACH(hyperbolic_tangent(x));
        case SQRT: EACH(square_root(x));
        case SQUARE: EACH(x * x);
        case SIGN: EACH(choose(x != x, x, truth(x > 0.f) - truth(x < 0.f)));
        case ADD: EACH(x + Y);
        case SUBTRACT: EACH(x - Y);
        case MULTIPLY: EACH(x * Y);
        case DIVIDE: EACH(x / Y);
        case MAXIMUM: EACH(larger(x, Y));
        case MINIMUM: EACH(smaller(x, Y));
        case LESS: EACH(truth(x < Y));
        case LESS_EQUAL: EACH(truth(x <= Y));
        case GREATER: EACH(truth(x > Y));
        case GREATER_EQUAL: EACH(truth(x >= Y));
        case EQUAL: EACH(truth(x == Y));
        case NOT_EQUAL: EACH(truth(x != Y));
        case WHERE: EACH(choose(x != 0.f, Y, load(in[2] + i)));
        case SCALED: EACH(x * Y * load(in[2] + i));
        case MASK: EACH((vec)((ivec)x & (ivec)(Y != 0.f)));
    }
}

// Elements as floats: where they lie if they lie side by side, else in `copy`.
static const float *gathered(const char *p, int type, i64 stride, i64 n, float *copy) {
    i64 padded = (n + LANES - 1) / LANES * LANES;
    if (type == FLOAT && stride == 1 && padded == n) return (const float *)p;
    if (type == FLOAT && stride == 0)
        for (i64 i = 0; i < n; i += LANES) store(copy + i, all(*(const float *)p));
    else if (type == FLOAT)
        for (i64 i = 0; i < n; i++) copy[i] = ((const float *)p)[i * stride];
    else if (type == BOOL && stride == 1)  // in vectors
        for (i64 i = 0; i < n; i++) copy[i] = ((const uint8_t *)p)[i] != 0;
    else if (type == BOOL)
        for (i64 i = 0; i < n; i++) copy[i] = ((const uint8_t *)p)[i * stride] != 0;
    else if (type == BYTE)
        for (i64 i = 0; i < n; i++) copy[i] = ((const uint8_t *)p)[i * stride];
    else
        for (i64 i = 0; i < n; i++) copy[i] = (float)((const int64_t *)p)[i * stride];
    for (i64 i = n; i < padded; i++) copy[i] = 1.f;  // no function has an error there
    return copy;
}

static void scattered(char *p, int type, i64 stride, i64 n, const float *values) {
    if (type == FLOAT)
        for (i64 i = 0; i < n; i++) ((float *)p)[i * stride] = values[i];
    else
        for (i64 i = 0; i < n; i++) ((uint8_t *)p)[i * stride] = values[i] != 0;
}

// The part of each dimension that a task works on.
#define PART(x, low, high)                                                          \
    i64 low[4] = {0}, high[4];                                                      \
    memcpy(high, (x)->shape, sizeof high);                                          \
    low[(x)->split] = from * (x)->unit;                                             \
    high[(x)->split] = least(to * (x)->unit, (x)->shape[(x)->split])

// The last operand is the result.
static void elementwise(const Program *p, const Instruction *x, i64 from, i64 to) {
    float copy[3][BLOCK], result[BLOCK];
    PART(x, low, high);
    int inputs = x->inputs;
    const Operand *o = x->operand, *last = o + inputs;
    int is_number[3] = {0};  // the same for all elements: it is gathered once
    for (int q = 0; q < inputs; q++) {
        const i64 *s = o[q].stride;
        is_number[q] = o[q].type == FLOAT && !(s[0] | s[1] | s[2] | s[3]);
        if (is_number[q]) gathered(at(p, o + q), FLOAT, 0, BLOCK, copy[q]);
    }
    for (i64 a = low[0]; a < high[0]; a++)
        for (i64 b = low[1]; b < high[1]; b++)
            for (i64 c = low[2]; c < high[2]; c++)
                for (i64 d = low[3]; d < high[3]; d += BLOCK) {
                    i64 n = least(BLOCK, high[3] - d), whole = n % LANES == 0;
                    const float *in[3];
                    for (int q = 0; q < inputs; q++) {
                        const i64 *s = o[q].stride;
                        i64 place = a * s[0] + b * s[1] + c * s[2] + d * s[3];
                        in[q] = is_number[q] ? copy[q]
                                             : gathered(at(p, o + q) + place * size_of(o[q].type),
                                                        o[q].type, s[3], n, copy[q]);
                    }
                    const i64 *s = last->stride;
                    i64 place = a * s[0] + b * s[1] + c * s[2] + d * s[3];
                    char *out = at(p, last) + place * size_of(last->type);
                    if (last->type == FLOAT && s[3] == 1 && whole) {
                        apply(x->code, n, in, (float *)out);
                    } else {
                        apply(x->code, (n + LANES - 1) / LANES * LANES, in, result);
                        scattered(out, last->type, s[3], n, result);
                    }
                }
}

// -- reductions ---------------------------------------------------------------------------------

enum { SUM, LEAST, LARGEST, DOT };

INLINE float reduced(int code, float total, float x) {
    if (code == LEAST) return total < x || total != total ? total : x;
    if (code == LARGEST) return total > x || total != total ? total : x;
    return total + x;
}

// Sums of 16 partial ones, each over every 16th element, of blocks of 256: the error does not
// grow with n.
INLINE float summed_row(int is_dot, const float *x, i64 sx, const float *y, i64 sy, i64 n) {
    double total = 0;
    for (i64 start = 0; start < n; start += 256) {
        i64 end = least(start + 256, n);
        vec parts[PARTS] = {{0}};
        for (i64 i = start; i < end; i += SUMS)
            EACH_PART(q) {
                i64 j = i + q * LANES;
                vec v = some(x + j * sx, sx, end - j);
                if (is_dot) parts[q] = fused(v, some(y + j * sy, sy, end - j), parts[q]);
                else parts[q] += v;
            }
        total += total_of(parts);
    }
    return (float)total;
}
static float reduced_row(int code, const float *x, i64 sx, const float *y, i64 sy, i64 n) {
    if (code == DOT) return summed_row(1, x, sx, y, sy, n);
    if (code == SUM) return summed_row(0, x, sx, x, sx, n);
    float total = x[0];
    for (i64 i = 1; i < n; i++) total = reduced(code, total, x[i * sx]);
    return total;
}

// Columns go row by row through as many of them as fit in registers.
#define WIDE 64
#define ABREAST (WIDE / LANES)  // vectors
enum { OF_X, OF_SQUARES, OF_PRODUCTS };
// Sums over rows of x, of (x - shift)^2, or of x y. Of each 256 rows in float, then in double.
INLINE void column_sums(int what, const float *x, i64 sx, const float *y, i64 sy,
                        const vec *shift, i64 rows, i64 n, double *total) {
    for (i64 c = 0; c < WIDE; c++) total[c] = 0;
    for (i64 start = 0; start < rows; start += 256) {
        i64 end = least(start + 256, rows);
        vec sum[ABREAST] = {{0}};
        for (i64 i = start; i < end; i++)
            for (i64 q = 0; LANES * q < n; q++) {
                vec v = some(x + i * sx + LANES * q, 1, n - LANES * q);
                if (what == OF_SQUARES) v -= shift[q], sum[q] = fused(v, v, sum[q]);
                else if (what == OF_PRODUCTS)
                    sum[q] = fused(v, some(y + i * sy + LANES * q, 1, n - LANES * q), sum[q]);
                else sum[q] += v;
            }
        for (i64 c = 0; c < n; c++) total[c] += sum[c / LANES][c % LANES];
    }
}

// Dimensions 0 and 1 stay, 2 and 3 are reduced. Operands: what is reduced (for DOT, two), result.
static void reduce(const Program *p, const Instruction *x, i64 from, i64 to) {
    PART(x, low, high);
    const Operand *o = x->operand, *second = o + x->inputs - 1, *last = o + x->inputs;
    const i64 *s = o->stride, *t = second->stride, *u = last->stride;
    const float *in = floats(p, o), *other = floats(p, second);
    float *out = floats(p, last);
    int code = x->code;
    for (i64 a = low[0]; a < high[0]; a++) {
        if (code == SUM && s[1] == 1 && x->shape[2] == 1) {  // over rows
            for (i64 b = low[1]; b < high[1]; b += WIDE) {
                i64 n = least(WIDE, high[1] - b);
                const float *first = in + a * s[0] + b;
                double total[WIDE];
                if (n == WIDE) column_sums(OF_X, first, s[3], 0, 0, 0, x->shape[3], WIDE, total);
                else column_sums(OF_X, first, s[3], 0, 0, 0, x->shape[3], n, total);
                for (i64 q = 0; q < n; q++) out[a * u[0] + (b + q) * u[1]] = (float)total[q];
            }
            continue;
        }
        for (i64 b = low[1]; b < high[1]; b++) {
            float total = 0;
            for (i64 c = 0; c < x->shape[2]; c++) {
                float part = reduced_row(code, in + a * s[0] + b * s[1] + c * s[2], s[3],
                                         other + a * t[0] + b * t[1] + c * t[2], t[3], x->shape[3]);
                total = c ? reduced(code, total, part) : part;
            }
            out[a * u[0] + b * u[1]] = total;
        }
    }
}

// -- products -----------------------------------------------------------------------------------

// Dimensions: networks, rows i, columns j, and k, over which products are summed. Operands: A, B,
// [bias or mask,] C. A product of rows takes B packed: strips of STRIP columns, each k after k.

enum { PLAIN, BIAS, BIAS_RELU, RELU_MASK };

typedef float (*Tile)[STRIP];  // rows of a tile of the result
typedef float tvec __attribute__((vector_size(4 * TILE_LANES)));
typedef float loose_tvec __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));
INLINE tvec tile_fused(tvec x, tvec y, tvec z) {
#if TILE_LANES == LANES
    return fused(x, y, z);
#else
    return (tvec)_mm256_fmadd_ps((__m256)x, (__m256)y, (__m256)z);
#endif
}
#define EACH_VECTOR(v) UNROLL for (int v = 0; v < STRIP / TILE_LANES; v++)
#define VECTOR(p, v) (((loose_tvec *)(p))[v])

#define KERNEL(rows)                                                                               \
    static void kernel##rows(i64 depth, const float *restrict a, i64 si, i64 sk,                   \
                             const float *restrict b, Tile restrict out) {                         \
        tvec sum[rows][STRIP / TILE_LANES], column[STRIP / TILE_LANES];                            \
        UNROLL for (int i = 0; i < rows; i++) EACH_VECTOR(v) sum[i][v] = (tvec){0};                \
        for (i64 k = 0; k < depth; k++, a += sk, b += STRIP) {                                     \
            EACH_VECTOR(v) column[v] = VECTOR(b, v);                                               \
            UNROLL for (int i = 0; i < rows; i++) {                                                \
                tvec x = a[i * si] - (tvec){0};                                                    \
                EACH_VECTOR(v) sum[i][v] = tile_fused(x, column[v], sum[i][v]);                    \
            }                                                                                      \
        }                                                                                          \
        UNROLL for (int i = 0; i < rows; i++) EACH_VECTOR(v) VECTOR(out[i], v) = sum[i][v];        \
    }
KERNEL(1) KERNEL(2) KERNEL(3) KERNEL(4) KERNEL(5) KERNEL(6)
#if TILE_ROWS > 6
KERNEL(7) KERNEL(8) KERNEL(9) KERNEL(10) KERNEL(11) KERNEL(12)
#endif

typedef void (*Kernel)(i64, const float *, i64, i64, const float *, Tile);
static const Kernel KERNELS[] = {
    0, kernel1, kernel2, kernel3, kernel4, kernel5, kernel6,
#if TILE_ROWS > 6
    kernel7, kernel8, kernel9, kernel10, kernel11, kernel12,
#endif
};

INLINE void transpose8(const float *in, i64 step, float *out, i64 out_step) {
    vec8 r[8], s[8];
    for (int i = 0; i < 8; i++) r[i] = *(const vec8 *)(in + i * step);
    for (int i = 0; i < 8; i += 2) {
        s[i] = SHUFFLE(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        s[i + 1] = SHUFFLE(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = i; j < i + 2; j++) {
            r[j] = SHUFFLE(s[j], s[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[j + 2] = SHUFFLE(s[j], s[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int j = 0; j < 4; j++) {
        *(vec8 *)(out + j * out_step) = SHUFFLE(r[j], r[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(vec8 *)(out + (j + 4) * out_step) = SHUFFLE(r[j], r[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

// Packs columns 0 to n - 1 of a strip, all k; the columns that are missing become 0.
static void pack_strip(const float *b, i64 sj, i64 sk, i64 n, i64 depth, float *out) {
    if (n < STRIP) memset(out, 0, (size_t)(depth * STRIP) * 4);
    if (sj == 1 && n == STRIP) {
        for (i64 k = 0; k < depth; k++, b += sk, out += STRIP)
            for (int q = 0; q < STRIP; q += LANES) store(out + q, load(b + q));
        return;
    }
    i64 k = 0;
    if (sk == 1 && STRIP % 8 == 0)
        for (; k + 8 <= depth; k += 8) {
            i64 j = 0;
            for (; j + 8 <= n; j += 8) transpose8(b + j * sj + k, sj, out + k * STRIP + j, STRIP);
            for (; j < n; j++)
                for (i64 q = k; q < k + 8; q++) out[q * STRIP + j] = b[j * sj + q];
        }
    for (; k < depth; k++)
        for (i64 j = 0; j < n; j++) out[k * STRIP + j] = b[j * sj + k * sk];
}

// Operands: B with the dimensions of a product, and its packed form. Split by strips.
static void pack(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *b = x->operand;
    i64 depth = x->shape[3], strips = (x->shape[2] + STRIP - 1) / STRIP;
    for (i64 t = from; t < to; t++) {
        i64 n = t / strips, j = t % strips * STRIP;
        pack_strip(floats(p, b) + n * b->stride[0] + j * b->stride[2], b->stride[2], b->stride[3],
                   least(STRIP, x->shape[2] - j), depth,
                   floats(p, b + 1) + t * depth * STRIP);
    }
}

typedef struct {
    int code;
    const float *extra;  // of the bias, or of the mask's first row
    i64 si, sj;          // of the mask
} Ending;

INLINE vec ended(const Ending *e, vec x, const float *extra) {
    if (e->code == RELU_MASK) return (vec)((ivec)x & (ivec)(load(extra) != 0.f));
    x += load(extra);
    return e->code == BIAS_RELU ? (vec)((ivec)x & ~(ivec)(x < 0.f)) : x;
}

// Stores one row of a tile from column j on; `i` counts the rows of C.
INLINE void store_row(float *row, const Ending *e, i64 i, i64 j, i64 n, float *c, i64 sj) {
    float extra[STRIP];
    if (e->code != PLAIN) {
        const float *from = e->extra + i * e->si + j * e->sj;
        if (n < STRIP || e->sj != 1) {
            memset(extra, 0, sizeof extra);
            for (i64 q = 0; q < n; q++) extra[q] = from[q * e->sj];
            from = extra;
        }
        for (int q = 0; q < STRIP; q += LANES) store(row + q, ended(e, load(row + q), from + q));
    }
    if (n == STRIP && sj == 1)
        for (int q = 0; q < STRIP; q += LANES) store(c + q, load(row + q));
    else
        for (i64 q = 0; q < n; q++) c[q * sj] = row[q];
}

// Rows of A that hold a number other than 0 among rows 0 to n - 1; all, if they are all.
static i64 rows_with_numbers(const float *a, i64 si, i64 sk, i64 depth, i64 n, int32_t *rows) {
    i64 count = 0;
    for (i64 i = 0; i < n; i++) {
        const float *row = a + i * si;
        int has_numbers = row[0] != 0.f;
        for (i64 k = 0; k < depth && !has_numbers; k += LANES) {
            ivec found = some(row + k * sk, sk, depth - k) != 0.f;  // also NaN
            for (int q = 0; q < LANES; q++) has_numbers |= found[q];
        }
        if (has_numbers) rows[count++] = (int32_t)i;
    }
    return count;
}

// Whether none of n numbers, a multiple of STRIP, is NaN or infinite: 0 times that would be NaN.
static int all_finite(const float *a, i64 n) {
    vec sum[2] = {{0}};  // neither waits for the other
    for (i64 i = 0; i < n; i += STRIP)
        for (int q = 0; q < 2; q++) sum[q] += load(a + i + q * LANES) * 0.f;
    float total = 0.f;
    for (int q = 0; q < LANES; q++) total += sum[0][q] + sum[1][q];
    return total == 0.f;
}

// C = A B for `n` columns of one strip. `rows`: which rows of A and C those of `a` are, or 0.
static void strip_product(i64 m, i64 n, i64 depth, const float *a, i64 si, i64 sk, const float *b,
                          float *c, i64 ci, i64 cj, i64 j, const Ending *e, const int32_t *rows) {
    float tile[TILE_ROWS][STRIP];
    i64 tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
    for (i64 t = 0, i = 0; t < tiles; t++) {
        i64 height = m / tiles + (t < m % tiles);
        for (i64 q = 0; q < height; q++) {  // they come from far while the tile is computed
            i64 row = rows ? rows[i + q] : i + q;
            float *to = c + row * ci + j * cj;
            __builtin_prefetch(to, 1);
            __builtin_prefetch(to + n - 1, 1);
            if (e->code != RELU_MASK) continue;
            const float *mask = e->extra + row * e->si + j * e->sj;
            __builtin_prefetch(mask);
            __builtin_prefetch(mask + n - 1);
        }
        KERNELS[height](depth, a + i * si, si, sk, b, tile);
        for (i64 q = 0; q < height; q++) {
            i64 row = rows ? rows[i + q] : i + q;
            store_row(tile[q], e, row, j, n, c + row * ci + j * cj, cj);
        }
        i += height;
    }
}

// A product with B packed, split by rows. Rows of A that are all 0 give rows of 0 at once, if B is
// finite: those of samples whose gradient another network has.
static void product(const Program *p, const Instruction *x, i64 from, i64 to, char *scratch) {
    const Operand *A = x->operand, *B = A + 1, *E = A + 2, *C = A + x->inputs;
    i64 depth = x->shape[3], columns = x->shape[2], strips = (columns + STRIP - 1) / STRIP;
    i64 m = to - from, si = A->stride[1], sk = A->stride[3];
    if (m <= 0) return;
    float *copy = (float *)scratch;
    int32_t *rows = (int32_t *)(copy + m * depth);
    for (i64 n = 0; n < x->shape[0]; n++) {
        const float *a = floats(p, A) + n * A->stride[0] + from * si, *rows_of_a = a;
        const float *b = floats(p, B) + n * strips * depth * STRIP;
        float *c = floats(p, C) + n * C->stride[0] + from * C->stride[1];
        Ending e = {x->code, 0, 0, 0};
        if (x->code != PLAIN)
            e = (Ending){x->code, floats(p, E) + n * E->stride[0] + from * E->stride[1],
                         E->stride[1], E->stride[2]};
        i64 height = m, step = si;
        const int32_t *which = 0;
        if (x->code == PLAIN || x->code == RELU_MASK) {
            i64 count = rows_with_numbers(a, si, sk, depth, m, rows);
            if (count < m && all_finite(b, strips * depth * STRIP)) {
                for (i64 i = 0; i < count; i++)
                    for (i64 k = 0; k < depth; k++) copy[i * depth + k] = a[rows[i] * si + k * sk];
                for (i64 i = 0; i < m; i++)
                    for (i64 j = 0; j < columns; j++) c[i * C->stride[1] + j * C->stride[2]] = 0;
                rows_of_a = copy, step = depth, height = count, which = rows;
            }
        }
        i64 k_step = which ? 1 : sk;
        for (i64 s = 0; s < strips; s++)
            strip_product(height, least(STRIP, columns - s * STRIP), depth, rows_of_a, step, k_step,
                          b + s * depth * STRIP, c, C->stride[1], C->stride[2], s * STRIP, &e,
                          which);
    }
}

// A product of all rows, split by strips of columns; each task packs its strips.
static void product_of_strips(const Program *p, const Instruction *x, i64 from, i64 to,
                              char *scratch) {
    const Operand *A = x->operand, *B = A + 1, *C = A + 2;
    i64 depth = x->shape[3], strips = (x->shape[2] + STRIP - 1) / STRIP;
    Ending e = {PLAIN, 0, 0, 0};
    for (i64 t = from; t < to; t++) {
        i64 n = t / strips, j = t % strips * STRIP, width = least(STRIP, x->shape[2] - j);
        pack_strip(floats(p, B) + n * B->stride[0] + j * B->stride[2], B->stride[2], B->stride[3],
                   width, depth, (float *)scratch);
        strip_product(x->shape[1], width, depth, floats(p, A) + n * A->stride[0], A->stride[1],
                      A->stride[3], (float *)scratch, floats(p, C) + n * C->stride[0],
                      C->stride[1], C->stride[2], j, &e, 0);
    }
}

// Few columns, k side by side in A and in B: dot products, four at a time.
static void product_of_dots(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *A = x->operand, *B = A + 1, *E = A + 2, *C = A + x->inputs;
    i64 depth = x->shape[3], whole = depth - depth % SUMS, columns = x->shape[2];
    for (i64 n = 0; n < x->shape[0]; n++)
        for (i64 i = from; i < to; i++) {
            const float *a = floats(p, A) + n * A->stride[0] + i * A->stride[1];
            float *c = floats(p, C) + n * C->stride[0] + i * C->stride[1];
            for (i64 j = 0; j < columns; j += 4) {
                i64 width = least(4, columns - j), sj = B->stride[2];
                const float *b = floats(p, B) + n * B->stride[0] + j * sj;
                vec sum[4][PARTS] = {{{0}}};
                if (width == 4)
                    for (i64 k = 0; k < whole; k += SUMS)
                        EACH_PART(r) {
                            vec v = load(a + k + r * LANES);
                            UNROLL for (int q = 0; q < 4; q++)
                                sum[q][r] = fused(v, load(b + q * sj + k + r * LANES), sum[q][r]);
                        }
                else
                    for (i64 q = 0; q < width; q++)
                        for (i64 k = 0; k < whole; k += SUMS)
                            EACH_PART(r) sum[q][r] = fused(
                                load(a + k + r * LANES), load(b + q * sj + k + r * LANES), sum[q][r]);
                for (i64 q = 0; q < width; q++) {
                    for (i64 r = 0, k = whole; k < depth; r++, k += LANES)
                        sum[q][r] = fused(some(a + k, 1, depth - k),
                                          some(b + q * sj + k, 1, depth - k), sum[q][r]);
                    float y = total_of(sum[q]);
                    const float *extra = floats(p, E) + n * E->stride[0] + i * E->stride[1] +
                                         (j + q) * E->stride[2];
                    if (x->code == BIAS || x->code == BIAS_RELU) y += *extra;
                    if (x->code == BIAS_RELU && y < 0.f) y = 0.f;
                    if (x->code == RELU_MASK && *extra == 0.f) y = 0.f;
                    c[(j + q) * C->stride[2]] = y;
                }
            }
        }
}

// -- what learning has of its own ---------------------------------------------------------------

// The gradient of a minimum over networks goes to the first of the smallest. Dimensions: networks,
// rows, columns. Operands: g, values, result.
static void minimum_gradient(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *G = x->operand, *V = G + 1, *C = G + 2;
    for (i64 i = from; i < to; i++)
        for (i64 j = 0; j < x->shape[2]; j++) {
            const float *v = floats(p, V) + i * V->stride[1] + j * V->stride[2];
            float g = floats(p, G)[i * G->stride[1] + j * G->stride[2]], best = v[0];
            i64 first = 0;
            for (i64 n = 1; n < x->shape[0]; n++) {
                float value = v[n * V->stride[0]];
                if (value < best || (value != value && best == best)) best = value, first = n;
            }
            float *c = floats(p, C) + i * C->stride[1] + j * C->stride[2];
            for (i64 n = 0; n < x->shape[0]; n++) c[n * C->stride[0]] = n == first ? g : 0.f;
        }
}

// Rows to a mean square of 1 and, if CENTRED, to mean 0 before, rectified at the end or not: see
// `row_norm` in the backends' contract. Dimensions: networks, rows, and the elements of a row (3). Operands: rows, weight, bias,
// epsilon, result, normalised rows, 1 / deviation.
enum { AS_IT_IS, CENTRED, AS_IT_IS_RELU, CENTRED_RELU };
#define ROW(o) (floats(p, o) + n * (o)->stride[0] + b * (o)->stride[1])
static void row_norm(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *X = x->operand, *W = X + 1, *B = X + 2, *C = X + 4, *N = X + 5, *V = X + 6;
    i64 k = x->shape[3], sx = X->stride[3], sw = W->stride[3], sb = B->stride[3];
    int is_centred = x->code == CENTRED || x->code == CENTRED_RELU;
    int is_rectified = x->code == AS_IT_IS_RELU || x->code == CENTRED_RELU;
    float eps = *floats(p, X + 3);
    for (i64 n = 0; n < x->shape[0]; n++)
        for (i64 b = from; b < to; b++) {
            const float *in = ROW(X), *weight = ROW(W), *bias = ROW(B);
            float *restrict out = ROW(C), *restrict normalized = ROW(N);
            float mean = is_centred ? summed_row(0, in, sx, in, sx, k) / (float)k : 0;
            for (i64 j = 0; j < k; j += LANES)
                store_some(normalized + j, some(in + j * sx, sx, k - j) - mean, k - j);
            float square = summed_row(1, normalized, 1, normalized, 1, k) / (float)k;
            float inverse = 1.f / sqrtf(square + eps);
            for (i64 j = 0; j < k; j += LANES) {
                vec v = some(normalized + j, 1, k - j) * inverse;
                store_some(normalized + j, v, k - j);
                v = fused(v, some(weight + j * sw, sw, k - j), some(bias + j * sb, sb, k - j));
                if (is_rectified) v = (vec)((ivec)v & ~(ivec)(v < 0.f));
                store_some(out + j, v, k - j);
            }
            *ROW(V) = inverse;
        }
}

// Operands: gradient of the result, weight, normalised rows, 1 / deviation, gradient of the rows.
static void row_norm_gradient(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *G = x->operand, *W = G + 1, *N = G + 2, *V = G + 3, *C = G + 4;
    i64 k = x->shape[3], sg = G->stride[3], sw = W->stride[3], sn = N->stride[3];
    for (i64 n = 0; n < x->shape[0]; n++)
        for (i64 b = from; b < to; b++) {
            const float *g = ROW(G), *weight = ROW(W), *normalized = ROW(N);
            float *restrict out = ROW(C), inverse = *ROW(V);
            for (i64 j = 0; j < k; j += LANES) {
                vec v = some(g + j * sg, sg, k - j) * some(weight + j * sw, sw, k - j);
                store_some(out + j, v, k - j);
            }
            float along = summed_row(1, out, 1, normalized, sn, k) / (float)k;
            float mean = x->code == CENTRED ? summed_row(0, out, 1, out, 1, k) / (float)k : 0;
            for (i64 j = 0; j < k; j += LANES) {
                vec v = some(out + j, 1, k - j) - mean;
                v = fused(some(normalized + j * sn, sn, k - j), all(-along), v) * inverse;
                store_some(out + j, v, k - j);
            }
        }
}

// Columns to mean 0 and variance 1: see `column_norm` in the backends' contract. Dimensions:
// networks, nothing, columns, rows.
// One number for each of `n` columns, in vectors.
INLINE void columns_of(const float *p, i64 stride, i64 n, vec *out) {
    for (i64 q = 0; q < ABREAST; q++)
        out[q] = some(p + least(LANES * q, n) * stride, stride, n - LANES * q);
}
#define COLUMNS_AT(o) (floats(p, o) + n * (o)->stride[0] + j * (o)->stride[2])
// Operands: columns, weight, bias, epsilon, result, mean, variance, normalised columns,
// 1 / deviation.
INLINE void normalize_columns(const Program *p, const Instruction *x, i64 n, i64 j, i64 width) {
    const Operand *X = x->operand, *W = X + 1, *B = X + 2, *C = X + 4, *M = X + 5, *S = X + 6,
                  *N = X + 7, *V = X + 8;
    i64 rows = x->shape[3], sx = X->stride[3], sn = N->stride[3], sc = C->stride[3];
    const float *in = COLUMNS_AT(X);
    float eps = *floats(p, X + 3), *out = COLUMNS_AT(C), *normalized = COLUMNS_AT(N);
    vec mean[ABREAST] = {{0}}, inverse[ABREAST] = {{0}}, weight[ABREAST], bias[ABREAST];
    columns_of(COLUMNS_AT(W), W->stride[2], width, weight);
    columns_of(COLUMNS_AT(B), B->stride[2], width, bias);
    double total[WIDE];
    column_sums(OF_X, in, sx, in, sx, mean, rows, width, total);
    for (i64 c = 0; c < width; c++)
        COLUMNS_AT(M)[c * M->stride[2]] = mean[c / LANES][c % LANES] = (float)total[c] / (float)rows;
    column_sums(OF_SQUARES, in, sx, in, sx, mean, rows, width, total);
    for (i64 c = 0; c < width; c++) {
        float variance = (float)total[c] / (float)rows;
        COLUMNS_AT(S)[c * S->stride[2]] = variance;
        inverse[c / LANES][c % LANES] = 1.f / sqrtf(variance + eps);
        COLUMNS_AT(V)[c * V->stride[2]] = inverse[c / LANES][c % LANES];
    }
    for (i64 i = 0; i < rows; i++)
        for (i64 q = 0; LANES * q < width; q++) {
            i64 k = width - LANES * q;
            vec v = (some(in + i * sx + LANES * q, 1, k) - mean[q]) * inverse[q];
            store_some(normalized + i * sn + LANES * q, v, k);
            store_some(out + i * sc + LANES * q, fused(v, weight[q], bias[q]), k);
        }
}
// Operands: gradient of the result, weight, normalised columns, 1 / deviation, and the gradients
// of columns, weight and bias.
INLINE void columns_gradient(const Program *p, const Instruction *x, i64 n, i64 j, i64 width) {
    const Operand *G = x->operand, *W = G + 1, *N = G + 2, *V = G + 3, *C = G + 4, *A = G + 5,
                  *T = G + 6;
    i64 rows = x->shape[3], sg = G->stride[3], sn = N->stride[3], sc = C->stride[3];
    const float *g = COLUMNS_AT(G), *normalized = COLUMNS_AT(N);
    float *out = COLUMNS_AT(C);
    vec weight[ABREAST], inverse[ABREAST], along[ABREAST] = {{0}}, mean[ABREAST] = {{0}};
    columns_of(COLUMNS_AT(W), W->stride[2], width, weight);
    columns_of(COLUMNS_AT(V), V->stride[2], width, inverse);
    double total[WIDE];
    column_sums(OF_PRODUCTS, g, sg, normalized, sn, mean, rows, width, total);
    for (i64 c = 0; c < width; c++) {
        COLUMNS_AT(A)[c * A->stride[2]] = (float)total[c];
        along[c / LANES][c % LANES] = (float)total[c] / (float)rows;
    }
    column_sums(OF_X, g, sg, g, sg, mean, rows, width, total);
    for (i64 c = 0; c < width; c++) {
        COLUMNS_AT(T)[c * T->stride[2]] = (float)total[c];
        mean[c / LANES][c % LANES] = (float)total[c] / (float)rows;
    }
    for (i64 i = 0; i < rows; i++)
        for (i64 q = 0; LANES * q < width; q++) {
            i64 k = width - LANES * q;
            vec v = some(g + i * sg + LANES * q, 1, k) - mean[q];
            v = fused(some(normalized + i * sn + LANES * q, 1, k), -along[q], v);
            store_some(out + i * sc + LANES * q, v * (weight[q] * inverse[q]), k);
        }
}
#define FOR_COLUMNS(work)                                                             \
    PART(x, low, high);                                                               \
    for (i64 n = 0; n < x->shape[0]; n++)                                             \
        for (i64 j = low[2]; j < high[2]; j += WIDE) {                                \
            i64 width = least(WIDE, high[2] - j);                                     \
            if (width == WIDE) work(p, x, n, j, WIDE); /* with loops of known length */ \
            else work(p, x, n, j, width);                                             \
        }
static void column_norm(const Program *p, const Instruction *x, i64 from, i64 to) {
    FOR_COLUMNS(normalize_columns)
}
static void column_norm_gradient(const Program *p, const Instruction *x, i64 from, i64 to) {
    FOR_COLUMNS(columns_gradient)
}

// The loss of quantiles against samples, and its gradient: see `quantile_huber` in the backends'
// contract. Dimensions: networks, rows, quantiles, samples. Operands: quantiles, samples, losses,
// gradients.
static void quantile_huber(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *Q = x->operand, *T = Q + 1, *L = Q + 2, *G = Q + 3;
    i64 m = x->shape[2], k = x->shape[3], st = T->stride[3];
    double pairs = (double)(m * k);
    for (i64 n = 0; n < x->shape[0]; n++)
        for (i64 b = from; b < to; b++) {
            const float *q = floats(p, Q) + n * Q->stride[0] + b * Q->stride[1];
            const float *t = floats(p, T) + b * T->stride[1];
            float *g = floats(p, G) + n * G->stride[0] + b * G->stride[1];
            double total = 0;
            for (i64 i = 0; i < m; i++) {
                float level = ((float)i + 0.5f) / (float)m, quantile = q[i * Q->stride[2]];
                vec loss[PARTS] = {{0}}, slope[PARTS] = {{0}};
                for (i64 start = 0; start < k; start += SUMS)
                    EACH_PART(r) {
                        i64 j = start + r * LANES;
                        vec error = some(t + j * st, st, k - j) - quantile;
                        for (i64 l = k > j ? k - j : 0; l < LANES; l++) error[l] = 0;  // no loss
                        vec clipped = choose(error < -1.f, all(-1.f), error);
                        clipped = choose(error > 1.f, all(1.f), clipped);
                        vec weight = choose(error < 0.f, all(1.f - level), all(level));
                        slope[r] = fused(weight, clipped, slope[r]);
                        loss[r] = fused(weight * clipped, error - 0.5f * clipped, loss[r]);
                    }
                total += total_of(loss);
                g[i * G->stride[2]] = (float)(-total_of(slope) / pairs);
            }
            floats(p, L)[n * L->stride[0] + b * L->stride[1]] = (float)(total / pairs);
        }
}

// Shares of atoms at other places, spread over atoms. Dimensions: rows (1) and atoms (3). Operands:
// shares, places, the lowest and the highest atom, atoms for each unit of value, result.
static void spread_atoms(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *S = x->operand, *P = S + 1, *C = S + 5;
    float low = *floats(p, S + 2), high = *floats(p, S + 3), width = *floats(p, S + 4);
    i64 n = x->shape[3];
    for (i64 b = from; b < to; b++) {
        const float *share = floats(p, S) + b * S->stride[1];
        const float *place = floats(p, P) + b * P->stride[1];
        float *c = floats(p, C) + b * C->stride[1];
        for (i64 j = 0; j < n; j++) c[j * C->stride[3]] = 0;
        for (i64 j = 0; j < n; j++) {
            float z = place[j * P->stride[3]], part = share[j * S->stride[3]];
            float where = z == z ? ((z < low ? low : z > high ? high : z) - low) * width : 0;
            i64 below = least((i64)where, n - 1);
            float above = part * (where - (float)below) + (z == z ? 0 : z);  // NaN stays
            c[below * C->stride[3]] += part - above;
            c[least(below + 1, n - 1) * C->stride[3]] += above;
        }
    }
}

// One element of the last dimension for each of the others, by number. Operands of TAKE: values,
// numbers (INT), result; of PUT: what is put there, numbers, result.
enum { TAKE, PUT };
static void indexed(Program *p, const Instruction *x, i64 from, i64 to) {
    PART(x, low, high);
    const Operand *S = x->operand, *I = S + 1, *C = S + 2;
    i64 size = x->shape[3];
    for (i64 a = low[0]; a < high[0]; a++)
        for (i64 b = low[1]; b < high[1]; b++)
            for (i64 c = low[2]; c < high[2]; c++) {
                i64 place = a * I->stride[0] + b * I->stride[1] + c * I->stride[2];
                i64 i = ((int64_t *)p->slots[I->slot])[I->offset + place];
                if (i < 0 || i >= size) {
                    atomic_fetch_or(&p->stop, OUT_OF_BOUNDS);
                    i = 0;
                }
                const float *s = floats(p, S) + a * S->stride[0] + b * S->stride[1] +
                                 c * S->stride[2];
                float *t = floats(p, C) + a * C->stride[0] + b * C->stride[1] + c * C->stride[2];
                if (x->code == TAKE)
                    *t = s[i * S->stride[3]];
                else
                    t[i * C->stride[3]] = *s;
            }
}

// Adam: Kingma & Ba 2015, algorithm 1, as reordered in section 2. Operands: parameter, gradient,
// moments, the number of steps with this one, and (learning rate, beta 1, beta 2, epsilon, decay) in
// float64; `decay` is the part of a parameter that is taken off (AdamW).
static void adam(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *o = x->operand;
    float *restrict param = floats(p, o), *restrict first = floats(p, o + 2);
    const float *restrict grad = floats(p, o + 1);
    float *restrict second = floats(p, o + 3);
    double count = floats(p, o + 4)[0];
    double lr, beta1, beta2, epsilon;
    const double *settings = (const double *)p->slots[o[5].slot];
    lr = settings[0], beta1 = settings[1], beta2 = settings[2], epsilon = settings[3];
    float keep = (float)(1 - settings[4]);
    double root = sqrt(1 - pow(beta2, count));
    float w1 = (float)(1 - beta1), b2 = (float)beta2, w2 = (float)(1 - beta2);
    float eps = (float)(epsilon * root), rate = (float)(lr * root / (1 - pow(beta1, count)));
    int is_near = beta1 < 0.5;  // to the gradient: from there, a large moment does not cancel it
    i64 end = least(to * x->unit, x->shape[3]);
    for (i64 i = from * x->unit; i < end; i++) {
        float g = grad[i], m = first[i];
        m = is_near ? g - (1 - w1) * (g - m) : m + w1 * (g - m);
        float v = b2 * second[i] + w2 * (g * g);
        first[i] = m;
        second[i] = v;
        param[i] = keep * param[i] - rate * (m / (sqrtf(v) + eps));
    }
}

// target += weight * (source - target). Operands: target, source, weight.
static void lerp(const Program *p, const Instruction *x, i64 from, i64 to) {
    const Operand *o = x->operand;
    float *restrict target = floats(p, o);
    const float *restrict source = floats(p, o + 1);
    float weight = *floats(p, o + 2);
    i64 end = least(to * x->unit, x->shape[3]);
    for (i64 i = from * x->unit; i < end; i++) target[i] += weight * (source[i] - target[i]);
}

// Stops the program after this stage if a number is not finite; the result tells which was not.
static void check_finite(Program *p, const Instruction *x) {
    float value = *floats(p, x->operand);
    int is_bad = !isfinite(value);
    *floats(p, x->operand + 1) = (float)is_bad;
    if (is_bad) atomic_fetch_or(&p->stop, NOT_FINITE);
}

// -- running ------------------------------------------------------------------------------------

enum {
    ELEMENTWISE, REDUCE, PACK, PRODUCT, STRIPS, DOTS, MINIMUM_GRADIENT, ROW_NORM,
    ROW_NORM_GRADIENT, COLUMN_NORM, COLUMN_NORM_GRADIENT, QUANTILE_HUBER, SPREAD_ATOMS, INDEXED, ADAM, LERP, CHECK,
};

static void execute(Program *p, const Instruction *x, i64 from, i64 to, char *scratch) {
    switch (x->op) {
        case ELEMENTWISE: elementwise(p, x, from, to); break;
        case REDUCE: reduce(p, x, from, to); break;
        case PACK: pack(p, x, from, to); break;
        case PRODUCT: product(p, x, from, to, scratch); break;
        case STRIPS: product_of_strips(p, x, from, to, scratch); break;
        case DOTS: product_of_dots(p, x, from, to); break;
        case MINIMUM_GRADIENT: minimum_gradient(p, x, from, to); break;
        case ROW_NORM: row_norm(p, x, from, to); break;
        case ROW_NORM_GRADIENT: row_norm_gradient(p, x, from, to); break;
        case COLUMN_NORM: column_norm(p, x, from, to); break;
        case COLUMN_NORM_GRADIENT: column_norm_gradient(p, x, from, to); break;
        case QUANTILE_HUBER: quantile_huber(p, x, from, to); break;
        case SPREAD_ATOMS: spread_atoms(p, x, from, to); break;
        case INDEXED: indexed(p, x, from, to); break;
        case ADAM: adam(p, x, from, to); break;
        case LERP: lerp(p, x, from, to); break;
        case CHECK: check_finite(p, x); break;
    }
}

static void run_task(Program *p, const Stage *stage, i64 task, char *scratch) {
    const Group *group = p->groups + stage->first;
    for (; task >= group->parts; group++) task -= group->parts;
    i64 from = group->extent * task / group->parts, to = group->extent * (task + 1) / group->parts;
    for (int32_t i = group->first; i < group->first + group->count; i++)
        execute(p, p->instructions + i, from, to, scratch);
}

// A pool of threads. `ticket` holds the number of a stage in its upper half and the next task of it
// in its lower half: a thread takes a task by raising it, which fails if the stage has ended.
#define MAX_THREADS 64
#define SPINS 2000  // some tens of microseconds: a stage is seldom that far away
#define YIELDS 20
static struct {
    atomic_uint_fast64_t ticket;
    atomic_llong finished;  // tasks of this stage
    _Atomic(Program *) program;  // of the stage that the ticket tells, as the next two
    _Atomic(const Stage *) stage;
    atomic_llong tasks;
    atomic_int wanted;  // threads beside the one that calls
    atomic_int sleeping;
    int threads;  // that there are, beside the one that calls
    pthread_mutex_t mutex, busy;
    pthread_cond_t wake;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER,
          .busy = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER};

// What `get` finds, and all that was put before it, is seen together.
#define get(x) atomic_load_explicit(&(x), memory_order_acquire)
#define put(x, value) atomic_store_explicit(&(x), value, memory_order_release)

// Takes tasks until none is left. Where the stage ends while it is read, the ticket is another one.
static void take_tasks(int thread) {
    for (;;) {
        uint_fast64_t ticket = get(pool.ticket);
        Program *program = get(pool.program);
        const Stage *stage = get(pool.stage);
        i64 task = (i64)(ticket & 0xffffffff);
        if (task >= get(pool.tasks) || thread > get(pool.wanted)) return;
        if (!atomic_compare_exchange_strong(&pool.ticket, &ticket, ticket + 1)) continue;
        run_task(program, stage, task, program->scratch[thread]);
        atomic_fetch_add_explicit(&pool.finished, 1, memory_order_release);
    }
}

static void *help(void *number) {
    int thread = (int)(intptr_t)number;
    uint_fast64_t seen = 0;
    for (;;) {
        take_tasks(thread);
        int tries = 0;
        while (get(pool.ticket) >> 32 == seen) {
            if (++tries < SPINS) {
                pause();
            } else if (tries < SPINS + YIELDS) {
                sched_yield();
            } else {
                pthread_mutex_lock(&pool.mutex);
                atomic_fetch_add(&pool.sleeping, 1);
                while (atomic_load(&pool.ticket) >> 32 == seen)
                    pthread_cond_wait(&pool.wake, &pool.mutex);
                atomic_fetch_sub(&pool.sleeping, 1);
                pthread_mutex_unlock(&pool.mutex);
            }
        }
        seen = get(pool.ticket) >> 32;
    }
    return 0;
}

static void start_threads(int count) {
#ifndef _WIN32
    sigset_t signals, before;  // a signal is the interpreter's threads' to handle
    sigfillset(&signals);
    pthread_sigmask(SIG_SETMASK, &signals, &before);
#endif
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (pool.threads < count) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, help, (void *)(intptr_t)(pool.threads + 1))) break;
        pool.threads++;
    }
    pthread_attr_destroy(&attributes);
#ifndef _WIN32
    pthread_sigmask(SIG_SETMASK, &before, 0);
#endif
}

static void run_stage(Program *p, const Stage *stage) {
    uint_fast64_t number = (atomic_load(&pool.ticket) >> 32) + 1;
    atomic_store(&pool.ticket, (number << 32) | 0xffffffff);  // nobody takes anything
    put(pool.program, p);
    put(pool.stage, stage);
    put(pool.tasks, stage->tasks);
    atomic_store(&pool.finished, 0);
    atomic_store(&pool.ticket, (number + 1) << 32);
    if (atomic_load(&pool.sleeping)) {
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.mutex);
    }
    take_tasks(0);
    for (int tries = 0; get(pool.finished) < stage->tasks;)
        if (++tries < SPINS) pause();
        else sched_yield();
}

// Runs the stages from `first` to before `end`; where it ended. If `stop` is set then, that must be
// looked at first: call it again to go on.
i64 run(Program *p, i64 first, i64 end, int threads) {
    int is_shared = threads > 1 && !pthread_mutex_trylock(&pool.busy);
    if (is_shared) {
        if (threads > MAX_THREADS) threads = MAX_THREADS;
        if (pool.threads < threads - 1) start_threads(threads - 1);
        put(pool.wanted, threads - 1);
    }
    i64 i = first;
    atomic_store(&p->stop, 0);
    while (i < end && !atomic_load(&p->stop)) {
        const Stage *stage = p->stages + i++;
        if (is_shared && stage->tasks > 1) run_stage(p, stage);
        else
            for (i64 task = 0; task < stage->tasks; task++) run_task(p, stage, task, p->scratch[0]);
    }
    if (is_shared) pthread_mutex_unlock(&pool.busy);
    return i;
}

// In a child of a fork the pool's threads do not exist.
void forget_threads(void) {
    pool.threads = 0;
    atomic_store(&pool.sleeping, 0);
    pthread_mutex_init(&pool.mutex, 0);
    pthread_mutex_init(&pool.busy, 0);
    pthread_cond_init(&pool.wake, 0);
}

// What the caller's side must agree with: the sizes of the structures, and the width of a strip.
void describe(i64 *out) {
    out[0] = sizeof(Instruction);
    out[1] = sizeof(Group);
    out[2] = sizeof(Stage);
    out[3] = sizeof(Program);
    out[4] = STRIP;
    out[5] = TILE_ROWS;
    out[6] = LANES;
}

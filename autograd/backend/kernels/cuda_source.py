"""The C++ of the CuPy backend's kernels, each of which does the work of many calls.

A kernel is the body of a loop, as `cupy.ElementwiseKernel` takes it. `i` is the number of the
element; a parameter stands for its element there, a `raw` one for the whole array. The same text
compiles for a host, which is how it is tested without a GPU.
"""

from __future__ import annotations

from typing import NamedTuple


class Kernel(NamedTuple):
    """The arguments of `cupy.ElementwiseKernel`, except the name."""

    in_params: str
    out_params: str
    operation: str
    preamble: str = ""


# Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3": Philox4x32 with 10 rounds. The
# numbers of a draw are a function of key and counter, so a stream's state is two whole numbers.
PHILOX = """
struct Words { unsigned int w[4]; };

__device__ Words philox(unsigned long long key, unsigned long long counter) {
    unsigned int k0 = (unsigned int)key, k1 = (unsigned int)(key >> 32);
    Words x = {{(unsigned int)counter, (unsigned int)(counter >> 32), 0u, 0u}};
    for (int n = 0; n < 10; ++n) {
        unsigned long long a = 0xD2511F53ull * x.w[0], b = 0xCD9E8D57ull * x.w[2];
        Words next = {{(unsigned int)(b >> 32) ^ x.w[1] ^ k0, (unsigned int)b,
                       (unsigned int)(a >> 32) ^ x.w[3] ^ k1, (unsigned int)a}};
        x = next;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return x;
}

__device__ unsigned long long pair(Words x, int half) {
    return ((unsigned long long)x.w[2 * half] << 32) | x.w[2 * half + 1];
}
"""

# Uniform in [0, 1): the top 24 or 53 of 64 bits; two elements for each counter.
UNIFORM = Kernel(
    "uint64 key, uint64 counter", "T out",
    """
    unsigned long long bits = pair(philox(key, counter + i / 2), i % 2);
    out = sizeof(T) == 8 ? (T)((double)(bits >> 11) * 1.1102230246251565e-16)
                         : (T)((float)(unsigned int)(bits >> 40) * 5.9604644775390625e-8f);
    """,
    PHILOX,
)  # fmt: skip

# Box & Muller 1958; both elements of a pair come from one counter. The radius is of (0, 1].
NORMAL = Kernel(
    "uint64 key, uint64 counter", "T out",
    """
    Words x = philox(key, counter + i / 2);
    if (sizeof(T) == 8) {
        double first = ((double)(pair(x, 0) >> 11) + 1.0) * 1.1102230246251565e-16;
        double second = (double)(pair(x, 1) >> 11) * 1.1102230246251565e-16;
        double radius = sqrt(-2.0 * log(first)), angle = 6.283185307179586 * second;
        out = (T)(radius * (i % 2 ? sin(angle) : cos(angle)));
    } else {
        float first = ((float)x.w[0] + 1.0f) * 2.3283064365386963e-10f;
        float second = (float)(x.w[1] >> 8) * 5.9604644775390625e-8f;
        float radius = sqrtf(-2.0f * logf(first)), angle = 6.2831855f * second;
        out = (T)(radius * (i % 2 ? sinf(angle) : cosf(angle)));
    }
    """,
    PHILOX,
)  # fmt: skip

# The bias towards small numbers is range / 2^64 at most.
INTEGERS = Kernel(
    "uint64 key, uint64 counter, int64 low, uint64 range", "int64 out",
    "out = low + (long long)(pair(philox(key, counter + i / 2), i % 2) % range);",
    PHILOX,
)  # fmt: skip

BITS = Kernel(
    "uint64 key, uint64 counter", "uint64 out",
    "out = pair(philox(key, counter + i / 2), i % 2);",
    PHILOX,
)  # fmt: skip

# Every thread that writes here writes a wrong index; any one of them will do for the report.
REPORT_WRONG_INDEX = Kernel(
    "T index, int64 lowest, int64 length, int64 dim", "raw int64 report",
    """
    if (index < lowest || index >= length) {
        report[0] = 1;
        report[1] = index;
        report[2] = dim;
        report[3] = length;
    }
    """,
)  # fmt: skip

# NaN passes through every comparison below, as it does in NumPy.

ADD_BIAS = {
    "identity": Kernel("T bias", "T y", "y += bias;"),
    "relu": Kernel("T bias", "T y", "y += bias; y = y < (T)0 ? (T)0 : y;"),
    "tanh": Kernel("T bias", "T y", "y = tanh(y + bias);"),
}

RELU_GRADIENT = Kernel("T value", "T g", "g = value != (T)0 ? g : (T)0;")
TANH_GRADIENT = Kernel("T value", "T g", "g -= g * value * value;")

CLAMP = """
template <typename T> __device__ T within(T x, T low, T high) {
    return x < low ? low : x > high ? high : x;
}
"""

CLAMPED = Kernel("T x, T low, T high", "T y", "y = within(x, low, high);", CLAMP)

HALF_SQUARE = Kernel(
    "T value, T target, T scale", "T difference, T part",
    "difference = value - target; part = scale * difference * difference;",
)  # fmt: skip
SIDE_BY_SIDE = Kernel(
    "raw T first, raw T second, int64 n, int64 m", "T out",
    """
    ptrdiff_t row = i / (n + m), column = i % (n + m);
    out = column < n ? first[row * n + column] : second[row * m + column - n];
    """,
)  # fmt: skip
SOFT_VALUE = Kernel(
    "T q_value, T log_prob, T alpha", "T value, T entropy",
    "value = q_value - alpha * log_prob; entropy = -log_prob;",
)  # fmt: skip
DISCOUNTED = Kernel(
    "T reward, T discount, T value", "T target", "target = reward + discount * value;"
)
SCALED_PRODUCT = Kernel("T x, Y y, T scale", "T product", "product = x * (T)y * scale;")

# Of several smallest, the first takes all; a NaN counts as smaller than any number.
MINIMUM_GRADIENT = Kernel(
    "T g, raw T values, int32 count, int64 length", "raw T result",
    """
    int first = 0;
    T least = values[i];
    for (int j = 1; j < count; ++j) {
        T value = values[j * length + i];
        if (least == least && !(value >= least)) { least = value; first = j; }
    }
    for (int j = 0; j < count; ++j) result[j * length + i] = j == first ? g : (T)0;
    """,
)  # fmt: skip

STANDARDISE = Kernel(
    "T x, T shift, T factor, T limit", "T y",
    "y = within((T)((x - shift) * factor), (T)-limit, limit);",
    CLAMP,
)  # fmt: skip

# A thread handles a row: it sums the log-probabilities of its n dimensions.
SQUASHED_GAUSSIAN = Kernel(
    "raw T parameters, raw T noise, int32 n, T low, T high, T constant",
    "raw T action, raw T spread, T log_prob",
    """
    T total = (T)0;
    for (int j = 0; j < n; ++j) {
        T log_std = within((T)parameters[2 * n * i + n + j], low, high);
        T e = noise[n * i + j], s = exp(log_std) * e, u = parameters[2 * n * i + j] + s;
        T size = u < (T)0 ? (T)-u : u;
        action[n * i + j] = tanh(u);
        spread[n * i + j] = s;
        total += (T)2 * (size + log1p(exp((T)-2 * size))) - log_std - (T)0.5 * e * e;
    }
    log_prob = total - constant;
    """,
    CLAMP,
)

# The slope of log_prob in u is that of -log(1 - tanh(u)^2): 2 tanh(u).
U_GRADIENT = "T u = action_g * ((T)1 - action * action) + (T)2 * log_prob_g * action;"

SQUASHED_GAUSSIAN_GRADIENT = Kernel(
    "T action_g, T log_prob_g, T action, T spread, T log_std, int32 n, T low, T high",
    "raw T result",
    f"""
    {U_GRADIENT}
    ptrdiff_t place = (i / n) * 2 * n + i % n;
    result[place] = u;
    result[place + n] = within(log_std, low, high) == log_std ? (T)(u * spread - log_prob_g) : (T)0;
    """,
    CLAMP,
)

SQUASHED_GAUSSIAN_NOISE_GRADIENT = Kernel(
    "T action_g, T log_prob_g, T action, T noise, T log_std, T low, T high",
    "T result",
    f"{U_GRADIENT} result = exp(within(log_std, low, high)) * u - log_prob_g * noise;",
    CLAMP,
)

# Kingma & Ba 2015, algorithm 1, as reordered in section 2. 1 - beta^step is computed as -expm1(step
# log beta), which stays accurate in float32 when beta is close to 1.
ADAM_INPUTS = (
    "T grad, raw float32 step, raw float32 skip, T lr, T weight1, T beta2, T weight2, "
    "T log_beta1, T log_beta2, T eps"
)
ADAM_STEP = """
    if (skip[0] == 0.0f) {{
        T root = sqrt(-expm1((T)step[0] * log_beta2));
        T rate = lr * root / -expm1((T)step[0] * log_beta1);
        T step1 = grad - exp_avg;
        exp_avg = weight1 > (T)0.5 ? grad - (1 - weight1) * step1 : exp_avg + weight1 * step1;
        exp_avg_sq = beta2 * exp_avg_sq + weight2 * grad * grad;
        {largest}
        param -= rate * exp_avg / (sqrt({denominator}) + eps * root);
    }}
"""
ADAM = Kernel(
    ADAM_INPUTS,
    "T param, T exp_avg, T exp_avg_sq",
    ADAM_STEP.format(largest="", denominator="exp_avg_sq"),
)
AMSGRAD = Kernel(
    ADAM_INPUTS,
    "T param, T exp_avg, T exp_avg_sq, T largest",
    ADAM_STEP.format(
        largest="largest = exp_avg_sq < largest ? largest : exp_avg_sq;", denominator="largest"
    ),
)
COUNT_STEP = Kernel("raw float32 skip", "T steps", "if (skip[0] == 0.0f) steps += (T)1;")

# Losses are numbered in order, so the smallest number is the first bad loss.
WATCH = Kernel(
    "T value, int64 number", "raw int64 first, raw float32 found",
    """
    if (!isfinite(value)) {
        if (number < first[0]) first[0] = number;
        found[0] = 1.0f;
    }
    """,
)  # fmt: skip

LERP = Kernel("T end, T weight", "T array", "array += weight * (end - array);")

# Records are rows of `width` words. The fields of the wanted rows become arrays of their own. Field
# 0 is also read at the rows `nexts`, where numbers from `length` on mean rows of `aside`.
WRITE_RECORDS = Kernel(
    "raw W records, raw int64 rows, int64 width", "raw W store",
    "store[rows[i / width] * width + i % width] = records[i];",
)  # fmt: skip
READ_RECORDS = Kernel(
    "raw W store, raw W aside, raw int64 rows, raw int64 nexts, int64 width, int64 length, "
    "int64 n0, int64 n1, int64 n2, int64 n3",
    "raw W out0, raw W out1, raw W out2, raw W out3, raw W out4",
    """
    ptrdiff_t b = i / (width + n0), k = i % (width + n0);
    if (k < width) {
        W word = store[rows[b] * width + k];
        if (k < n0) {
            out0[b * n0 + k] = word;
        } else if ((k -= n0) < n1) {
            out1[b * n1 + k] = word;
        } else if ((k -= n1) < n2) {
            out2[b * n2 + k] = word;
        } else {
            out3[b * n3 + k - n2] = word;
        }
    } else {
        k -= width;
        out4[b * n0 + k] =
            nexts[b] < length ? store[nexts[b] * width + k] : aside[(nexts[b] - length) * n0 + k];
    }
    """,
)

KERNELS: dict[str, Kernel] = {
    "uniform": UNIFORM,
    "normal": NORMAL,
    "integers": INTEGERS,
    "bits": BITS,
    "report_wrong_index": REPORT_WRONG_INDEX,
    **{f"add_bias_{activation}": kernel for activation, kernel in ADD_BIAS.items()},
    "relu_gradient": RELU_GRADIENT,
    "tanh_gradient": TANH_GRADIENT,
    "clamped": CLAMPED,
    "side_by_side": SIDE_BY_SIDE,
    "soft_value": SOFT_VALUE,
    "discounted": DISCOUNTED,
    "half_square": HALF_SQUARE,
    "scaled_product": SCALED_PRODUCT,
    "minimum_gradient": MINIMUM_GRADIENT,
    "standardise": STANDARDISE,
    "squashed_gaussian": SQUASHED_GAUSSIAN,
    "squashed_gaussian_gradient": SQUASHED_GAUSSIAN_GRADIENT,
    "squashed_gaussian_noise_gradient": SQUASHED_GAUSSIAN_NOISE_GRADIENT,
    "adam": ADAM,
    "amsgrad": AMSGRAD,
    "count_step": COUNT_STEP,
    "watch": WATCH,
    "lerp": LERP,
    "write_records": WRITE_RECORDS,
    "read_records": READ_RECORDS,
}

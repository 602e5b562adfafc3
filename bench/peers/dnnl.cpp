// dnnl THREADS VARIANT OP NUMBERS…: primitives of oneDNN 2.6.
//   sgemm|packed          gemm M K N               packed: matmul with B in oneDNN's own layout, reordered before
//   nchw|nhwc|blocked|winograd  conv N C H O K STRIDE PAD GROUPS    nchw: with the reorders at both ends
//   plain                 softmax R C · layernorm R C · relu N
//   fused                 chain N                  gelu(1.3 x + 0.2) 0.7 + r as one primitive with post-ops
#include <dnnl.hpp>
#include <omp.h>
#include <unordered_map>
#include "timing.h"

using namespace dnnl;
using Tag = memory::format_tag;
using Type = memory::data_type;
using Arguments = std::unordered_map<int, memory>;

struct Runner {
  engine cpu{engine::kind::cpu, 0};
  stream queue{cpu};

  memory plain(memory::dims dims, Tag tag) {
    memory m({dims, Type::f32, tag}, cpu);
    auto *data = static_cast<float *>(m.get_data_handle());
    for (size_t i = 0; i < m.get_desc().get_size() / 4; i++) data[i] = float(i % 13) * 0.01f - 0.05f;
    return m;
  }

  Statistics time(const primitive &p, Arguments arguments) {
    return measure([&] {
      p.execute(queue, arguments);
      queue.wait();
    });
  }

  memory moved(memory from, const memory::desc &to) {
    memory m(to, cpu);
    reorder(from, m).execute(queue, from, m);
    queue.wait();
    return m;
  }

  Statistics gemm(const std::string &variant, long m, long k, long n) {
    memory a = plain({m, k}, Tag::ab), b = plain({k, n}, Tag::ab), c = plain({m, n}, Tag::ab);
    if (variant == "sgemm") {
      auto *x = (float *)a.get_data_handle(), *y = (float *)b.get_data_handle(), *z = (float *)c.get_data_handle();
      return measure([&] { dnnl_sgemm('N', 'N', m, n, k, 1, x, k, y, n, 0, z, n); });
    }
    const memory::desc any({k, n}, Type::f32, Tag::any);
    matmul::primitive_desc chosen(matmul::desc(a.get_desc(), any, c.get_desc()), cpu);
    memory packed = moved(b, chosen.weights_desc());
    return time(matmul(chosen), {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, c}});
  }

  Statistics conv(const std::string &variant, const std::vector<long> &v) {
    const long n = v[0], c = v[1], h = v[2], o = v[3], k = v[4], stride = v[5], pad = v[6], groups = v[7];
    const long oh = (h + 2 * pad - k) / stride + 1;
    const memory::dims from{n, c, h, h}, to{n, o, oh, oh}, bias{o};
    const memory::dims filter = groups > 1 ? memory::dims{groups, o / groups, c / groups, k, k} : memory::dims{o, c, k, k};
    memory x = plain(from, Tag::nchw), w = plain(filter, groups > 1 ? Tag::goihw : Tag::oihw);
    memory b = plain(bias, Tag::a), y = plain(to, Tag::nchw);
    const auto layout = variant == "nhwc" ? Tag::nhwc : Tag::any;
    const auto method = variant == "winograd" ? algorithm::convolution_winograd : algorithm::convolution_direct;
    convolution_forward::primitive_desc chosen(
        convolution_forward::desc(prop_kind::forward_inference, method, {from, Type::f32, layout},
                                  {filter, Type::f32, Tag::any}, {bias, Type::f32, Tag::a}, {to, Type::f32, layout},
                                  {stride, stride}, {pad, pad}, {pad, pad}), cpu);
    memory own = moved(x, chosen.src_desc()), weights = moved(w, chosen.weights_desc()), result(chosen.dst_desc(), cpu);
    Arguments arguments{{DNNL_ARG_SRC, own}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, result}};
    convolution_forward p(chosen);
    if (variant != "nchw") return time(p, arguments);
    reorder before(x, own), after(result, y);
    return measure([&] {
      if (x.get_desc() != own.get_desc()) before.execute(queue, x, own);
      p.execute(queue, arguments);
      if (y.get_desc() != result.get_desc()) after.execute(queue, result, y);
      queue.wait();
    });
  }

  Statistics softmax(long rows, long columns) {
    memory x = plain({rows, columns}, Tag::ab), y = plain({rows, columns}, Tag::ab);
    softmax_forward p({softmax_forward::desc(prop_kind::forward_inference, x.get_desc(), 1), cpu});
    return time(p, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
  }

  Statistics layer_norm(long rows, long columns) {
    memory x = plain({rows, 1, columns}, Tag::abc), y = plain({rows, 1, columns}, Tag::abc);
    memory scale = plain({2, columns}, Tag::ab);
    layer_normalization_forward::primitive_desc chosen(
        layer_normalization_forward::desc(prop_kind::forward_inference, x.get_desc(), 1e-5f,
                                          normalization_flags::use_scale_shift), cpu);
    memory mean(chosen.mean_desc(), cpu), variance(chosen.variance_desc(), cpu);
    return time(layer_normalization_forward(chosen),
                {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}, {DNNL_ARG_SCALE_SHIFT, scale}, {DNNL_ARG_MEAN, mean},
                 {DNNL_ARG_VARIANCE, variance}});
  }

  Statistics relu(long n) {
    memory x = plain({n}, Tag::a), y = plain({n}, Tag::a);
    eltwise_forward p({eltwise_forward::desc(prop_kind::forward_inference, algorithm::eltwise_relu, x.get_desc(), 0.f, 0.f), cpu});
    return time(p, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
  }

  Statistics chain(long n) {
    memory x = plain({n}, Tag::a), r = plain({n}, Tag::a), y = plain({n}, Tag::a), a = plain({1}, Tag::a);
    *static_cast<float *>(a.get_data_handle()) = 1.3f;
    post_ops then;
    then.append_eltwise(1.f, algorithm::eltwise_linear, 1.f, 0.2f);
    then.append_eltwise(0.7f, algorithm::eltwise_gelu_erf, 0, 0);
    then.append_binary(algorithm::binary_add, r.get_desc());
    primitive_attr fused;
    fused.set_post_ops(then);
    binary p(binary::primitive_desc(binary::desc(algorithm::binary_mul, x.get_desc(), a.get_desc(), y.get_desc()), fused, cpu));
    return time(p, {{DNNL_ARG_SRC_0, x}, {DNNL_ARG_SRC_1, a}, {DNNL_ARG_DST, y},
                    {DNNL_ARG_ATTR_MULTIPLE_POST_OP(2) | DNNL_ARG_SRC_1, r}});
  }
};

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: dnnl THREADS VARIANT OP NUMBERS...\n");
    return 2;
  }
  const int threads = atoi(argv[1]);
  const std::string variant = argv[2], op = argv[3];
  const auto v = numbers(argc, argv, 4);
  omp_set_num_threads(threads);
  try {
    Runner run;
    const auto s = op == "gemm" ? run.gemm(variant, v[0], v[1], v[2])
        : op == "conv" ? run.conv(variant, v)
        : op == "softmax" ? run.softmax(v[0], v[1])
        : op == "layernorm" ? run.layer_norm(v[0], v[1])
        : op == "relu" ? run.relu(v[0])
        : run.chain(v[0]);
    print(("onednn_" + variant).c_str(), threads, s);
  } catch (const error &e) {
    fprintf(stderr, "onednn_%s %s: %s\n", variant.c_str(), op.c_str(), e.what());
    return 1;
  }
}

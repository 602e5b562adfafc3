// Programs of map kernels in their text form, shared by the tests of the printer and of the executable.
namespace Accelerate.Tests.OpenCl;

internal static class Samples
{
    /// <summary>relu(x + bias) over two axes; the bias is read between the loops' indices.</summary>
    public const string BiasRelu = """
        program @bias_relu {
          sizes(n, m)
          input(x: f32[n,m], "x")
          input(bias: f32[m], "bias")
          output(y: f32[n,m], "y")
          call(@bias_relu; x, bias, y)
        }
        kernel @bias_relu(x: in(f32, n*m), bias: in(f32, m), y: out(f32, n*m); sizes(n, m)) {
          %0: f32 = const(0.0)
          parallel(i < n) {
            vector(j < m) {
              %1: f32 = load(x[i*m+j])
              %2: f32 = load(bias[j])
              %3: f32 = add(%1, %2)
              %4: bool = gt(%0, %3)
              %5: f32 = select(%4, %0, %3)
              store(y[i*m+j], %5)
            }
          }
        }
        """;

    /// <summary>Two kernels and a temporary between them.</summary>
    public const string TwoKernels = """
        program @two {
          sizes(n)
          input(x: f32[n], "x")
          temporary(t: f32[n], "t")
          output(y: f32[n], "y")
          call(@square; x, t)
          call(@third; t, y)
        }
        kernel @square(a: in(f32, n), r: out(f32, n); sizes(n)) {
          vector(i < n) {
            %0: f32 = load(a[i])
            %1: f32 = mul(%0, %0)
            store(r[i], %1)
          }
        }
        kernel @third(a: in(f32, n), r: out(f32, n); sizes(n)) {
          %0: f32 = const(3.0)
          vector(i < n) {
            %1: f32 = load(a[i])
            %2: f32 = div(%1, %0)
            store(r[i], %2)
          }
        }
        """;

    /// <summary>A zero-padded window of three rows at stride two, summed in order.</summary>
    public const string Window = """
        program @window {
          sizes(h, w)
          input(x: u8[h,w], "x")
          output(y: f32[floor(h+1,2),w], "y")
          call(@window; x, y)
        }
        kernel @window(x: in(u8, h*w), y: out(f32, floor(h+1,2)*w); sizes(h, w)) {
          %0: u8 = const(0)
          parallel(o < floor(h+1,2)) {
            vector(c < w) {
              %1: f32 = serial.add(k < 3) {
                %2: u8 = load(x[2*o*w+k*w-w+c] if(2*o+k-1 < h) else %0)
                %3: f32 = convert(%2)
                yield(%3)
              }
              store(y[o*w+c], %1)
            }
          }
        }
        """;

    /// <summary>Rows of a table by index: out of range is flagged, and clamped.</summary>
    public const string Gather = """
        program @gather {
          sizes(v, d, n)
          input(table: f32[v,d], "table")
          input(index: i32[n], "index")
          output(y: f32[n,d], "y")
          call(@gather; table, index, y)
        }
        kernel @gather(table: in(f32, v*d), index: in(i32, n), y: out(f32, n*d); sizes(v, d, n)) {
          parallel(i < n) {
            %0: i32 = load(index[i])
            %1: i64 = convert(%0)
            %2: i64 = const(0)
            %3: i64 = index(v-1)
            %4: i64 = max(%1, %2)
            %5: i64 = min(%4, %3)
            %6: bool = ne(%1, %5)
            flag(%6)
            vector(j < d) {
              %7: f32 = load(table[v5'*d+j])
              store(y[i*d+j], %7)
            }
          }
        }
        """;

    /// <summary>A transposition of four axes, so that two loops share a dimension.</summary>
    public const string Transpose = """
        program @transpose {
          sizes(a, b, c, d)
          input(x: i16[a,b,c,d], "x")
          output(y: i16[d,c,b,a], "y")
          call(@transpose; x, y)
        }
        kernel @transpose(x: in(i16, a*b*c*d), y: out(i16, a*b*c*d); sizes(a, b, c, d)) {
          parallel(p < d) {
            parallel(q < c) {
              parallel(r < b) {
                vector(s < a) {
                  %0: i16 = load(x[s*b*c*d+r*c*d+q*d+p])
                  store(y[p*a*b*c+q*a*b+r*a+s], %0)
                }
              }
            }
          }
        }
        """;

    /// <summary>A rotation of three axes, each with a dimension of its own.</summary>
    public const string Rotate = """
        program @rotate {
          sizes(a, b, c)
          input(x: i64[a,b,c], "x")
          output(y: i64[c,a,b], "y")
          call(@rotate; x, y)
        }
        kernel @rotate(x: in(i64, a*b*c), y: out(i64, a*b*c); sizes(a, b, c)) {
          parallel(k < c) {
            parallel(i < a) {
              vector(j < b) {
                %0: i64 = load(x[i*b*c+j*c+k])
                store(y[k*a*b+i*b+j], %0)
              }
            }
          }
        }
        """;

    /// <summary>
    /// Element i is the input at floor((i - s) / q), or -1 where that is negative: the dividend may be negative.
    /// </summary>
    public const string Divided = """
        program @divided {
          sizes(n, q)
          input(x: i32[n], "x")
          input(like: bool[q], "like")
          output(y: i32[n], "y")
          call(@divided; x, y)
        }
        kernel @divided(x: in(i32, n), y: out(i32, n); sizes(n, q)) {
          %0: i32 = const(-1)
          vector(i < n) {
            %1: i32 = load(x[floor(i-5,q)] if(floor(i-5,q) < n) else %0)
            %2: i64 = index(floor(i-7,3)+min(i,q)+floor(i,4)-max(n,q))
            %3: i32 = convert(%2)
            %4: i32 = mul(%1, %3)
            store(y[i], %4)
          }
        }
        """;

    /// <summary>The greatest element's index in each row, and the exclusive sum of each row, in order.</summary>
    public const string Rows = """
        program @rows {
          sizes(n, m)
          input(x: f32[n,m], "x")
          output(best: i32[n], "best")
          output(sums: f32[n,m], "sums")
          call(@rows; x, best, sums)
        }
        kernel @rows(x: in(f32, n*m), best: out(i32, n), sums: out(f32, n*m); sizes(n, m)) {
          parallel(i < n) {
            %0: i32 = serial.argmax(j < m) {
              %1: f32 = load(x[i*m+j])
              yield(%1)
            }
            store(best[i], %0)
            serial(j < m) {
              %2: f32 = serial.add(k < j) {
                %3: f32 = load(x[i*m+k])
                yield(%3)
              }
              store(sums[i*m+j], %2)
            }
          }
        }
        """;

    /// <summary>A counter in the state, and a parameter that scales.</summary>
    public const string Stateful = """
        program @step {
          sizes(n)
          input(x: f32[n], "x")
          param(scale: f32, "scale")
          buffer(count: i64, "count")
          constant(one: i64, "", [1])
          output(y: f32[n], "y")
          call(@count; count, one, count)
          call(@scaled; x, scale, y)
        }
        kernel @count(c: in(i64, 1), one: in(i64, 1), r: out(i64, 1); sizes()) {
          %0: i64 = load(c[0])
          %1: i64 = load(one[0])
          %2: i64 = add(%0, %1)
          store(r[0], %2)
        }
        kernel @scaled(x: in(f32, n), s: in(f32, 1), y: out(f32, n); sizes(n)) {
          %0: f32 = load(s[0])
          vector(i < n) {
            %1: f32 = load(x[i])
            %2: f32 = mul(%0, %1)
            store(y[i], %2)
          }
        }
        """;

    /// <summary>f16 in, bf16 out, with an addition in each of the three.</summary>
    public const string Narrow = """
        program @narrow {
          sizes(n)
          input(x: f16[n], "x")
          output(y: bf16[n], "y")
          call(@narrow; x, y)
        }
        kernel @narrow(x: in(f16, n), y: out(bf16, n); sizes(n)) {
          vector(i < n) {
            %0: f16 = load(x[i])
            %1: f16 = add(%0, %0)
            %2: bf16 = convert(%1)
            %3: bf16 = mul(%2, %2)
            store(y[i], %3)
          }
        }
        """;

    /// <summary>Each row less its greatest element, over the sum of the row, and where the greatest is.</summary>
    public const string Softmax = """
        program @softmax {
          sizes(n, m)
          input(x: f32[n,m], "x")
          output(y: f32[n,m], "y")
          output(best: i32[n], "best")
          call(@softmax; x, y, best)
        }
        kernel @softmax(x: in(f32, n*m), y: out(f32, n*m), best: out(i32, n); sizes(n, m)) {
          parallel(i < n) {
            %0: f32 = reduce.max(j < m) {
              %1: f32 = load(x[i*m+j])
              yield(%1)
            }
            %2: f32 = reduce.add(j < m) {
              %3: f32 = load(x[i*m+j])
              %4: f32 = sub(%3, %0)
              yield(%4)
            }
            vector(j < m) {
              %5: f32 = load(x[i*m+j])
              %6: f32 = sub(%5, %0)
              %7: f32 = div(%6, %2)
              store(y[i*m+j], %7)
            }
            %8: i32 = reduce.argmax(j < m) {
              %9: f32 = load(x[i*m+j])
              yield(%9)
            }
            store(best[i], %8)
          }
        }
        """;

    /// <summary>A padded 3 x 3 convolution of images [h, w, c] with filters [3, 3, c, f], a bias, and a relu.</summary>
    public const string Convolution = """
        program @convolution {
          sizes(n, h, w, c, f)
          input(x: f32[n,h,w,c], "x")
          input(k: f32[3,3,c,f], "k")
          input(bias: f32[f], "bias")
          output(y: f32[n,h,w,f], "y")
          call(@convolution; x, k, bias, y)
        }
        kernel @convolution(x: in(f32, n*h*w*c), k: in(f32, 9*c*f), bias: in(f32, f), y: out(f32, n*h*w*f); sizes(n, h, w, c, f)) {
          parallel(i < n) {
            parallel(r < h) {
              contract(p < w, q < f; a < 3, b < 3, d < c) {
                left {
                  %0: f32 = const(0.0)
                  %1: f32 = load(x[i*h*w*c+(r+a-1)*w*c+(p+b-1)*c+d] if(r+a-1 < h, p+b-1 < w) else %0)
                  yield(%1)
                }
                right {
                  %2: f32 = load(k[3*a*c*f+b*c*f+d*f+q])
                  yield(%2)
                }
                into(%3: f32) {
                  %4: f32 = load(bias[q])
                  %5: f32 = add(%3, %4)
                  %6: f32 = const(0.0)
                  %7: f32 = max(%6, %5)
                  store(y[i*h*w*f+r*w*f+p*f+q], %7)
                }
              }
            }
          }
        }
        """;

    /// <summary>Rows added to the rows of another tensor by index, in order: what is written is read again.</summary>
    public const string Scatter = """
        program @scatter {
          sizes(n, m, r)
          input(index: i32[n], "index")
          input(rows: f32[n,m], "rows")
          input(start: f32[r,m], "start")
          output(y: f32[r,m], "y")
          call(@copy; start, y)
          call(@scatter; index, rows, y)
        }
        kernel @copy(x: in(f32, r*m), y: out(f32, r*m); sizes(m, r)) {
          vector(i < r*m) {
            %0: f32 = load(x[i])
            store(y[i], %0)
          }
        }
        kernel @scatter(index: in(i32, n), rows: in(f32, n*m), y: out(f32, r*m); sizes(n, m, r)) {
          serial(s < n) {
            %0: i32 = load(index[s])
            %1: i64 = convert(%0)
            vector(j < m) {
              %2: f32 = load(rows[s*m+j])
              %3: f32 = load(y[v1'*m+j])
              %4: f32 = add(%3, %2)
              store(y[v1'*m+j], %4)
            }
          }
        }
        """;

    /// <summary>Each row from the greatest to the least, where each was, and the running sum.</summary>
    public const string Sorted = """
        program @sorted {
          sizes(n, m)
          input(x: f32[n,m], "x")
          output(y: f32[n,m], "y")
          output(from: i32[n,m], "from")
          output(sums: f32[n,m], "sums")
          call(@sorted; x, y, from)
          call(@running; x, sums)
        }
        kernel @sorted(x: in(f32, n*m), y: out(f32, n*m), from: out(i32, n*m); sizes(n, m)) {
          parallel(i < n) {
            sort.descending(j < m) {
              %0: f32 = load(x[i*m+j])
              yield(%0)
            } into(%1: f32, %2: i32) {
              store(y[i*m+j], %1)
              store(from[i*m+j], %2)
            }
          }
        }
        kernel @running(x: in(f32, n*m), y: out(f32, n*m); sizes(n, m)) {
          parallel(i < n) {
            cumulate.add(j < m) {
              %0: f32 = load(x[i*m+j])
              yield(%0)
            } into(%1: f32) {
              store(y[i*m+j], %1)
            }
          }
        }
        """;
}

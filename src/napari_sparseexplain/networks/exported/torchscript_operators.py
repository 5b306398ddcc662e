"""Operators that the code of a TorchScript file may call: those that compute, and no others.

Arithmetic on tensors, numbers, lists, dictionaries and texts; convolutions, norms, activations,
pooling, attention, resizing, Fourier transforms, linear algebra; the random numbers of layers that
are switched off when a network is used. Left out is what touches files, processes, devices' state,
autograd's own state or memory as it lies, whatever is written for quantised or sparse tensors, and
all that torch may gain later.
"""

from __future__ import annotations


def word_list(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


#: Of ``aten``: what is called as ``torch.NAME``, ``ops.aten.NAME`` or as a tensor's method.
ATEN = word_list(
    """
    Bool Complex ComplexImplicit Float FloatImplicit Int IntImplicit ScalarImplicit Size
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr adjoint alias all allclose
    alpha_dropout amax amin aminmax angle any append arange arccos arccosh arcsin arcsinh arctan
    arctan2 arctanh argmax argmin argsort argwhere as_strided as_tensor asin asinh atan atan2 atanh
    atleast_1d atleast_2d atleast_3d avg_pool1d avg_pool2d avg_pool3d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
    adaptive_max_pool2d adaptive_max_pool3d affine_grid_generator
    baddbmm bartlett_window batch_norm bernoulli bilinear bincount bitwise_and bitwise_left_shift
    bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman_window block_diag bmm
    broadcast_tensors broadcast_to bucketize
    cartesian_prod cat cdist ceil celu chain_matmul channel_shuffle cholesky chunk clamp clamp_max
    clamp_min clear clip clone col2im column_stack combinations complex concat concatenate conj
    conj_physical constant_pad_nd contiguous conv1d conv2d conv3d conv_tbc conv_transpose1d
    conv_transpose2d conv_transpose3d convolution copy copysign corrcoef cos cosh cosine_similarity
    count count_nonzero cov cpu cross cross_entropy_loss cummax cummin cumprod cumsum
    cumulative_trapezoid
    deg2rad degrees det detach device diag diag_embed diagflat diagonal dict diff digamma dim dist
    div divide divmod dot dropout dsplit dstack
    einsum element_size elu embedding empty empty_like endswith eq equal erf erfc erfinv exp exp2
    expand expand_as expm1 extend eye
    fabs factorial feature_alpha_dropout feature_dropout fft_fft fft_fft2 fft_fftfreq fft_fftn
    fft_fftshift fft_hfft fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft fft_irfft fft_irfft2
    fft_irfftn fft_rfft fft_rfft2 fft_rfftfreq fft_rfftn fill find fix flatten flip fliplr flipud
    float_power floor floor_divide floordiv fmax fmin fmod format frac frobenius_norm full full_like
    gather gcd ge geqrf gelu get get_device ger glu gradient greater greater_equal grid_sampler
    grid_sampler_2d grid_sampler_3d group_norm gru gru_cell gt
    hamming_window hann_window hardshrink hardsigmoid hardswish hardtanh heaviside histc hsplit
    hstack huber_loss hypot
    i0 igamma igammac im2col imag index index_add index_copy index_fill index_put index_select
    indices inner insert instance_norm inverse is_complex is_contiguous is_floating_point
    is_nonzero is_same_size is_scripting is_signed isclose isfinite isin isinf isnan isneginf
    isposinf isreal istft item items
    join kaiser_window keys kl_div kron kthvalue
    l1_loss layer_norm lcm ldexp le leaky_relu len lerp less less_equal lgamma linalg_cholesky
    linalg_cond linalg_cross linalg_det linalg_diagonal linalg_eig linalg_eigh linalg_eigvals
    linalg_eigvalsh linalg_inv linalg_inv_ex linalg_lstsq linalg_lu linalg_matmul linalg_matrix_exp
    linalg_matrix_norm linalg_matrix_power linalg_matrix_rank linalg_multi_dot linalg_norm
    linalg_pinv linalg_qr linalg_slogdet linalg_solve linalg_solve_triangular linalg_svd
    linalg_svdvals linalg_vecdot linalg_vector_norm linear linspace list log log10 log1p log2
    log_sigmoid log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not
    logical_or logical_xor logit logspace logsumexp lower lstm lstm_cell lstrip lt
    mH mT margin_ranking_loss masked_fill masked_scatter masked_select mathremainder matmul
    matrix_H matrix_exp matrix_power max max_pool1d max_pool1d_with_indices max_pool2d
    max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool2d max_unpool3d maximum
    mean median meshgrid min minimum mish mm mode modf moveaxis movedim mse_loss msort mul
    multinomial multiply mv mvlgamma
    nan_to_num nanmean nanmedian nanquantile nansum narrow native_batch_norm native_dropout
    native_group_norm native_layer_norm ne neg negative new_empty new_full new_ones new_zeros
    nextafter nll_loss nonzero nonzero_numpy norm normal not_equal nuclear_norm numel numpy_T
    one_hot ones ones_like ord outer
    pad pad_sequence pairwise_distance pdist percentFormat permute pinverse pixel_shuffle
    pixel_unshuffle poisson polar polygamma pop popitem positive pow prelu prod promote_types put
    qr quantile
    rad2deg radians rand rand_like randint randint_like randn randn_like randperm range ravel real
    reciprocal reflection_pad1d reflection_pad2d reflection_pad3d relu relu6 remainder remove renorm
    repeat repeat_interleave replace replication_pad1d replication_pad2d replication_pad3d reshape
    reshape_as resolve_conj resolve_neg result_type reverse rms_norm rnn_relu rnn_relu_cell rnn_tanh
    rnn_tanh_cell roll rot90 round row_stack rpartition rrelu rsplit rsqrt rstrip rsub
    scalar_tensor scaled_dot_product_attention scatter scatter_add scatter_reduce searchsorted
    select select_scatter selu setdefault sgn sigmoid sign signbit silu sin sinc sinh size slice
    slice_scatter slogdet smooth_l1_loss soft_margin_loss softmax softplus softshrink sort sorted
    special_erf special_erfc special_erfcx special_erfinv special_exp2 special_expit special_expm1
    special_i0 special_i1 special_log1p special_log_softmax special_logit special_logsumexp
    special_ndtr special_softmax special_xlog1py special_xlogy split split_with_sizes sqrt square
    squeeze stack startswith std std_mean stft storage_offset str stride strip sub subtract sum
    sum_to_size svd swapaxes swapdims
    t take take_along_dim tan tanh tensor tensor_split tensordot threshold tile to topk trace
    transpose trapezoid trapz tril tril_indices triplet_margin_loss triu triu_indices true_divide
    trunc type_as
    unbind unflatten unfold uniform unique_consecutive unique_dim unsafe_chunk unsafe_split
    unsafe_split_with_sizes unsqueeze update upper upsample_bicubic2d upsample_bilinear2d
    upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_trilinear3d
    values vander var var_mean warn vdot view view_as view_as_complex view_as_real vsplit vstack
    where xlogy zero zeros zeros_like
    __and__ __contains__ __derive_index __getitem__ __iand__ __ilshift__ __interpolate __ior__
    __irshift__ __is__ __isnot__ __ixor__ __lshift__ __not__ __or__ __range_length
    __round_to_zero_floordiv __rshift__ __upsample __upsample_bilinear __upsample_nearest __xor__
    _adaptive_avg_pool2d _adaptive_avg_pool3d _cast_Byte _cast_Char _cast_Double _cast_Float
    _cast_Half _cast_Int _cast_Long _cast_Short _conj _convolution _convolution_mode
    _euclidean_dist _log_softmax _native_batch_norm_legit _native_batch_norm_legit_no_training
    _native_multi_head_attention _nested_tensor_from_mask _nested_tensor_from_mask_left_aligned
    to_padded_tensor _pack_padded_sequence _pad_circular _pad_enum _pad_packed_sequence
    _shape_as_tensor _set_item _safe_softmax _softmax
    _scaled_dot_product_attention_math _thnn_fused_gru_cell
    _thnn_fused_lstm_cell _transform_bias_rescale_qkv _transformer_encoder_layer_fwd
    _to_copy _trilinear _unique _unique2 _unwrap_optional _is_all_true _is_any_true _masked_softmax
    _prelu_kernel _stack _upsample_lanczos2d_aa is_autocast_enabled is_autocast_cpu_enabled
    is_grad_enabled set_grad_enabled
    _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_nearest_exact1d
    _upsample_nearest_exact2d _upsample_nearest_exact3d _weight_norm _weight_norm_interface
    """
)

#: In place, too: the name with ``_`` behind it.
_IN_PLACE = word_list(
    """
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv alpha_dropout arccos arccosh
    arcsin arctan asin asinh atan atan2 atanh baddbmm bernoulli bitwise_and bitwise_not bitwise_or
    bitwise_xor ceil celu clamp clamp_max clamp_min clip copy copysign cos cosh cumprod cumsum
    deg2rad detach digamma div divide dropout elu eq erf erfc erfinv exp exp2 expm1
    feature_alpha_dropout feature_dropout fill float_power floor floor_divide fmod frac gcd ge gelu
    geometric greater greater_equal gt hardsigmoid hardswish hardtanh heaviside hypot i0 index_add
    index_copy index_fill index_put le leaky_relu lerp less less_equal lgamma log log10 log1p log2
    logical_and logical_not logical_or logical_xor logit lt masked_fill masked_scatter mish mul
    multiply nan_to_num ne neg negative normal not_equal polygamma pow put rad2deg random reciprocal
    relu relu6 remainder renorm round rrelu rsqrt scatter scatter_add scatter_reduce selu sgn
    sigmoid sign silu sin sinc sinh sqrt square squeeze sub subtract swapaxes swapdims t tan
    tanh threshold transpose tril triu true_divide trunc uniform unsqueeze xlogy zero
    """
)

ATEN_CALLS = ATEN | {name + "_" for name in _IN_PLACE}

#: Of ``prim``, as ``ops.prim.NAME``.
PRIM_CALLS = word_list(
    """
    NumToTensor RaiseException TupleIndex TupleUnpack StringIndex EnumName EnumValue abs data device
    dtype grad index is_cpu is_cuda is_ipu is_maia is_meta is_mkldnn is_mps is_mtia is_nested
    is_quantized is_sparse is_sparse_csr is_vulkan is_xla is_xpu itemsize layout max min
    name nbytes rangelist requires_grad shape tolist type unchecked_cast unchecked_unwrap_optional
    BroadcastSizes ReductionSizes ConstantChunk AutogradZero ModuleContainerIndex
    """
)

#: Words that stand by themselves and are called.
FUNCTIONS = word_list(
    """
    abs all annotate any bool chr complex dict divmod enumerate float getattr hasattr int isinstance
    len list max min ord pow range round sorted str sum tuple unchecked_cast uninitialized zip
    unchecked_unwrap_optional
    """
)

#: Types, and other words that stand by themselves.
WORDS = word_list(
    """
    Any Dict Final Future List NamedTuple Module ModuleInterface Interface Enum NoneType Number
    Optional Scalar Tensor Tuple Union Device Generator Layout Storage Stream Dtype MemoryFormat
    bool complex float int number str string inf nan infj nanj self int_ dict list tuple None True
    False t Type Self RRef AnyClassType AnyEnumType AnyListType AnyTupleType QScheme ScalarType
    """
)

#: Attributes that tensors, devices and texts have.
ATTRIBUTES = word_list(
    "T H mT mH dtype device shape ndim requires_grad is_cuda is_cpu is_mps is_meta is_sparse "
    "is_quantized layout data grad real imag type index itemsize nbytes name value names"
)

#: What `torch.export` writes beyond that: operators taken apart, and checks of shapes.
EXPORT_CALLS = ATEN_CALLS | word_list(
    """
    _assert_async _assert_scalar _assert_tensor_metadata _functional_assert_async
    _functional_assert_scalar _local_scalar_dense _native_batch_norm_legit_functional
    _prelu_kernel _scaled_dot_product_cudnn_attention _scaled_dot_product_efficient_attention
    _scaled_dot_product_flash_attention _scaled_dot_product_flash_attention_for_cpu
    _scaled_dot_product_fused_attention_overrideable _unsafe_index _unsafe_view alias_copy
    batch_norm_update_stats conv_depthwise3d detach_copy diagonal_copy expand_copy lift_fresh
    lift_fresh_copy log_sigmoid_forward permute_copy select_copy slice_copy split_copy
    split_with_sizes_copy squeeze_copy sym_constrain_range sym_constrain_range_for_size
    sym_is_contiguous sym_numel sym_size sym_storage_offset sym_stride t_copy transpose_copy
    unfold_copy unsqueeze_copy view_copy
    """
)

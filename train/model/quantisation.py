"""Fine-tunes with the weights rounded as int8 will round them, so that the export loses nothing by it.

Plain quantisation after training costs MobileNetV2 half a point, and it is the weights that cost it, not the
activations. So a last phase trains through rounded kernels: forward with round(w / s) * s, where s is the
largest weight of the output channel over 127, backward as if nothing had been rounded (the straight-through
estimator of Bengio et al. 2013; per channel as in Krishnamoorthi 2018, arXiv:1806.08342). In the end the
rounded kernels themselves become the model's weights: the Keras model and the int8 one have the same.
"""

import keras
import numpy as np
from keras import ops

from train.model.network import base_of

_LEVELS = 127
"""Largest magnitude of a symmetric int8 weight, as TFLite's quantisation specification has it."""


def rounded_kernel(kernel: object, depthwise: bool) -> object:
    """Round a kernel to the int8 grid of its output channels, letting gradients pass.

    Args:
        kernel: (h, w, in, out) of a convolution, (h, w, channels, 1) of a depthwise one, (in, out) of a dense
            layer.
        depthwise: which axis counts the output channels: the last, or the one before it.
    """
    shape = kernel.shape  # type: ignore[attr-defined]
    channel = len(shape) - (2 if depthwise else 1)
    others = [axis for axis in range(len(shape)) if axis != channel]
    step = ops.maximum(ops.max(ops.abs(kernel), axis=others, keepdims=True), 1e-8) / _LEVELS
    rounded = ops.round(kernel / step) * step
    return kernel + ops.stop_gradient(rounded - kernel)


@keras.saving.register_keras_serializable("plasmolite")
class RoundedConv2D(keras.layers.Conv2D):
    """A convolution that computes with its kernel rounded to int8."""

    def convolution_op(self, inputs: object, kernel: object) -> object:
        """Convolve with the rounded kernel."""
        return super().convolution_op(inputs, rounded_kernel(kernel, depthwise=False))


@keras.saving.register_keras_serializable("plasmolite")
class RoundedDepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """A depthwise convolution that computes with its kernel rounded to int8."""

    def call(self, inputs: object) -> object:
        """Convolve with the rounded kernel."""
        outputs = ops.depthwise_conv(
            inputs,
            rounded_kernel(self.kernel, depthwise=True),
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
        return self.activation(outputs + self.bias)


def with_fake_quantisation(network: keras.Model) -> keras.Model:
    """Copy a network, its base's convolutions replaced by ones that round their kernels."""
    return _exchange(
        network,
        {
            keras.layers.Conv2D: RoundedConv2D,
            keras.layers.DepthwiseConv2D: RoundedDepthwiseConv2D,
        },
    )


def without_fake_quantisation(network: keras.Model) -> keras.Model:
    """Copy a rounding network back to plain layers, whose kernels are the rounded ones."""
    plain = _exchange(
        network,
        {
            RoundedConv2D: keras.layers.Conv2D,
            RoundedDepthwiseConv2D: keras.layers.DepthwiseConv2D,
        },
    )
    for layer in base_of(plain).layers:
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        if depthwise or isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            layer.set_weights([np.asarray(rounded_kernel(ops.convert_to_tensor(kernel), depthwise)), bias])
    return plain


def _exchange(
    network: keras.Model, classes: dict[type[keras.layers.Layer], type[keras.layers.Layer]]
) -> keras.Model:
    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer, clone_function=clone)
        return classes.get(type(layer), type(layer)).from_config(layer.get_config())

    copy = keras.models.clone_model(network, clone_function=clone)
    copy.set_weights(network.get_weights())
    return copy
